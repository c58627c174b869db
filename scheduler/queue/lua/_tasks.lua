-- Prelude: a task's record and its end. tk:task:<id> exists from the first assignment to the end:
-- state pending|assigned|running, raw, node, units, seq, attempt (claims so far), failures, direct,
-- incarnation, ts_assigned.

-- How long an ended task is remembered, ms: a worker may repeat a finish for as long as it takes to
-- reach Redis again and replay, and a rolled back append-only file loses about 2 s.
local ENDED_TTL_MS = 30000

-- Dead letters kept; older ones are dropped, their ends stay on record in the results.
local DEAD_MAX = 10000

local function json_text(value)
  if value == nil or value == false or value == '' then return 'null' end
  return cjson.encode(tostring(value))
end

local function json_number(value, format)
  local number = tonumber(value)
  if not number then return 'null' end
  return string.format(format or '%.17g', number)
end

-- What the results say of a task, from its JSON.
local function facts_of(id, raw)
  local task = fields_of(raw)
  return { id = id, seq = task.seq, ts_enqueue = task.ts_enqueue, dispatch = task.dispatch_id,
    profile = task.profile, units = task.cpu_units }
end

-- The same from an entry of an index, where no more is known.
local function facts_of_entry(id, entry)
  local seq, ts, dispatch = string.match(entry, '^(%S+) (%S+) (.*)$')
  return { id = id, seq = seq, ts_enqueue = ts, dispatch = dispatch }
end

-- Count the end of a task, for all and for its dispatch.
local function count_end(dispatch, state)
  call('HINCRBY', TOTALS, state, 1)
  if dispatch and dispatch ~= '' then call('HINCRBY', P .. 'tk:progress:' .. dispatch, state, 1) end
end

-- Keep the memory of an end: `entry` is {attempt, incarnation, state, ts_finish, seq, ts_enqueue, status},
-- and behind it is + where the end is counted for its dispatch.
local function remember_end(facts, entry, ttl_ms)
  call('DEL', task_key(facts.id))
  entry[8] = facts.dispatch and facts.dispatch ~= '' and '+' or '-'
  call('SET', ended_key(facts.id), table.concat(entry, ' '), 'PX', ttl_ms)
end

-- A task reached an end state: its result, the counters, and the memory of it. `attempt` is {number,
-- node, incarnation, ts_assigned, status} or {}.
local function end_task(facts, state, reason, attempt)
  local ts = ms(now_ms())
  call('RPUSH', RESULTS, table.concat({
    '{"task_id":', json_text(facts.id), ',"attempt":', json_number(attempt.number),
    ',"node":', json_text(attempt.node), ',"state":"', state, '","status":',
    json_number(attempt.status), ',"reason":', json_text(reason),
    ',"ts_enqueue":', json_number(facts.ts_enqueue, '%.3f'),
    ',"ts_assigned":', json_number(attempt.ts_assigned, '%.3f'), ',"ts_finish":', ts,
    ',"cpu_units":', json_number(facts.units), ',"profile":', json_text(facts.profile),
    ',"seq":', json_number(facts.seq), '}' }))
  count_end(facts.dispatch, state)
  remember_end(facts, { attempt.number or 0, attempt.incarnation or '-', state, ts,
    facts.seq or 0, json_number(facts.ts_enqueue, '%.3f'), json_number(attempt.status) }, ENDED_TTL_MS)
  wake_scheduler()
  return ts
end

-- Keep what is dead for a person to look at.
local function add_dead_letter(id, reason, raw)
  call('RPUSH', DEAD, table.concat({ '{"task_id":', json_text(id), ',"ts_ms":', ms(now_ms()),
    ',"reason":', json_text(reason), ',"task":', json_text(raw), '}' }))
  call('LTRIM', DEAD, -DEAD_MAX, -1)
end

-- The place number of a task that was taken in: its JSON ends with the stamps. nil for any other text.
local function stamped_seq(raw)
  local tail = string.sub(raw or '', -96)
  return tonumber(string.match(tail, ',"seq":([%d.]+),"ts_enqueue":[%d.]+}$'))
end

-- The place number of the task at `index`. What a person pushed has none until the scheduler takes it
-- in: it counts as what follows it, as far as is worth looking.
local UNPLACED_MAX = 100
local function seq_at(list, index)
  -- Redis walks to the index over blocks of some 30 tasks.
  spend(40 + index / 16)
  local raw = call('LINDEX', list, index)
  local seq = stamped_seq(raw) or tonumber(fields_of(raw).seq)
  if seq then return seq end
  for _, next_raw in ipairs(call('LRANGE', list, index + 1, index + UNPLACED_MAX)) do
    seq = stamped_seq(next_raw)
    if seq then return seq end
  end
  return math.huge
end

-- Put a task at its place in the order of submission. Tasks that come back belong near the head, so
-- the search gallops from there: a handful of reads, whatever the length of the list.
local function put_back(list, raw, seq)
  local length = call('LLEN', list)
  if length == 0 or seq_at(list, 0) > seq then
    call('LPUSH', list, raw)
    return
  end
  if seq_at(list, length - 1) <= seq then
    call('RPUSH', list, raw)
    return
  end
  local before, step, after = 0, 1, length
  while before + step < length do
    if seq_at(list, before + step) > seq then
      after = before + step
      break
    end
    before = before + step
    step = step * 2
  end
  while after - before > 1 do
    local middle = math.floor((before + after) / 2)
    if seq_at(list, middle) > seq then after = middle else before = middle end
  end
  if after == length then
    call('RPUSH', list, raw)
  else
    -- A list has no insertion by index, and two tasks pushed by hand may be the same text: for a moment
    -- the neighbour becomes one of a kind.
    local neighbour = call('LINDEX', list, after)
    spend(after)
    call('LSET', list, after, 'tk:here')
    call('LINSERT', list, 'BEFORE', 'tk:here', raw)
    call('LSET', list, after + 1, neighbour)
  end
end

local function index_entry(facts)
  return table.concat({ json_number(facts.seq), json_number(facts.ts_enqueue, '%.3f'),
    facts.dispatch or '' }, ' ')
end

-- The task is pending again: in the pending queue, or in its node's own queue where it was put there
-- past the scheduler and is to stay.
local function return_task(id, raw, node)
  local facts = facts_of(id, raw)
  put_back(list_key(node), raw, tonumber(facts.seq) or 0)
  call('HSET', index_key(node), id, index_entry(facts))
  if call('EXISTS', task_key(id)) == 1 then
    call('HSET', task_key(id), 'state', 'pending', 'node', '', 'incarnation', '')
    if node == '' then call('HDEL', task_key(id), 'direct') end
  end
  if node == '' then wake_scheduler() else wake_node(node) end
end

-- How deep a task that a person moved to the head of the pending queue is looked for.
local MOVED_MAX = 500

-- An assigned task leaves its node; `node` may be nil where the node's books are gone.
--   'returned'  it was in the node's queue and is pending again
--   'moved'     a person had moved it to the pending queue, where it stays
--   'cancelled' a person had removed it
local function unassign(id, node_id, node, options)
  spend(TASK_WORK)
  local v = call('HMGET', task_key(id), 'raw', 'units')
  call('ZREM', assigned_key(node_id), id)
  if node then release(node, tonumber(v[2]) or 0) end
  local raw = v[1]
  if not raw then return 'cancelled' end
  local is_there = pull(list_key(node_id), raw)
  if is_there and not (options and options.cancel) then
    return_task(id, raw, '')
    return 'returned'
  end
  if not is_there and call('LPOS', list_key(''), raw, 'MAXLEN', MOVED_MAX) then
    call('HSET', index_key(''), id, index_entry(facts_of(id, raw)))
    call('HSET', task_key(id), 'state', 'pending', 'node', '')
    wake_scheduler()
    return 'moved'
  end
  local v2 = call('HMGET', task_key(id), 'attempt', 'ts_assigned')
  end_task(facts_of(id, raw), 'cancelled',
    options and options.cancel or 'removed from q:' .. node_id, { node = node_id,
    number = tonumber(v2[1] or '') , ts_assigned = v2[2] or nil })
  return 'cancelled'
end

-- A list that a person deleted: what its index still has is cancelled, by the scheduler and in
-- portions, so that deleting a million tasks blocks nobody.
local function settle_removed(node)
  if call('EXISTS', list_key(node)) == 1 or call('EXISTS', index_key(node)) == 0 then
    return
  end
  local name = 'tk:removed:' .. call('HINCRBY', CONFIG, 'removed', 1)
  call('RENAME', index_key(node), P .. name)
  call('RPUSH', P .. 'tk:removed', name .. ' q:' .. (node == '' and 'pending' or node))
  wake_scheduler()
end
