-- Take tasks in, in their order, with one stamp and place each; what is known already stays as it is.
-- KEYS[1] prefix
-- ARGV[1] node, '' for the pending queue
-- ARGV[2] ttl_ms of the memory of a dispatch
-- ARGV[3...] per task: task_id, dispatch_id ('' for none), head (its JSON without seq, ts_enqueue and
--   the closing brace)
-- Returns per task {seq, ts_enqueue, 1 when it is new}

local node = ARGV[1]
local list, index = ensure_list(list_key(node)), index_key(node)
settle_removed(node)

-- "seq ts_enqueue ..." of a task that is in the queue, runs, or ended a moment ago.
local function known_stamp(id, dispatch)
  local entry = dispatch ~= '' and call('HGET', P .. 'tk:dispatch:' .. dispatch, id)
    or call('HGET', index, id)
  if entry then return string.match(entry, '^(%S+) (%S+)') end
  local v = call('HMGET', task_key(id), 'raw')
  if v[1] then
    local facts = facts_of(id, v[1])
    return json_number(facts.seq), json_number(facts.ts_enqueue, '%.3f')
  end
  local ended = call('GET', ended_key(id))
  if not ended then return end
  local state, seq, ts, counted = string.match(ended, '^%S+ %S+ (%S+) %S+ (%S+) (%S+) %S+ (%S+)$')
  seq, ts = tonumber(seq) or 0, tonumber(ts) or 0
  -- A queue that lost data was told of this end by its scheduler; the dispatch itself is new to it.
  if dispatch ~= '' then
    call('HSET', P .. 'tk:dispatch:' .. dispatch, id, seq .. ' ' .. ts)
    call('HINCRBY', P .. 'tk:progress:' .. dispatch, 'enqueued', 1)
    if counted == '-' then call('HINCRBY', P .. 'tk:progress:' .. dispatch, state, 1) end
  end
  return json_number(seq), json_number(ts, '%.3f')
end

local replies, added = {}, {}
local stamps = open_stamps()
for i = 3, #ARGV, 3 do
  local id, dispatch, head = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local seq, ts = known_stamp(id, dispatch)
  if seq then
    replies[#replies + 1] = { seq, ts, 0 }
  else
    seq, ts = next_seq(stamps), next_ts(stamps)
    call('RPUSH', list, head .. ',"seq":' .. seq .. ',"ts_enqueue":' .. ts .. '}')
    call('HSET', index, id, seq .. ' ' .. ts .. ' ' .. dispatch)
    if dispatch ~= '' then
      call('HSET', P .. 'tk:dispatch:' .. dispatch, id, seq .. ' ' .. ts)
      added[dispatch] = (added[dispatch] or 0) + 1
    end
    replies[#replies + 1] = { seq, ts, 1 }
  end
end
close_stamps(stamps)
for dispatch, count in pairs(added) do
  call('HINCRBY', P .. 'tk:progress:' .. dispatch, 'enqueued', count)
  call('PEXPIRE', P .. 'tk:dispatch:' .. dispatch, ARGV[2])
  call('PEXPIRE', P .. 'tk:progress:' .. dispatch, ARGV[2])
end
if node == '' then wake_scheduler() else wake_node(node) end
return replies
