-- After a loss of data: tasks whose ends are on the scheduler's disk have ended, whatever the queue remembers.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2] last_seq, the highest place on the disk: no later task gets one of these again
-- ARGV[3] ttl_ms, for how long a dispatcher that is resumed finds these ends
-- ARGV[4] totals, JSON: ends on the disk by state, with the last call; '{}' before
-- ARGV[5...] per task: task_id, raw (the task as it is in the pending queue, '' when it is not there),
--   attempt, state, ts_finish, seq, ts_enqueue, status
-- Returns how many of the tasks were still in the queue, or -1 when this scheduler is not active any more

if not leads(ARGV[1]) then return -1 end
local stamps = open_stamps()
if stamps.seq < tonumber(ARGV[2]) then
  stamps.seq = tonumber(ARGV[2])
  close_stamps(stamps)
end

-- Take the task out of wherever it is; its dispatch, '' for none, or nil where it was nowhere.
local function take_out(id, raw)
  local entry = call('HGET', index_key(''), id)
  if entry then
    call('HDEL', index_key(''), id)
    call('LREM', list_key(''), 1, raw)
    return facts_of_entry(id, entry).dispatch
  end
  local v = call('HMGET', task_key(id), 'state', 'node', 'raw', 'units')
  if not v[1] then return nil end
  local is_reserved = false
  if v[1] == 'assigned' then
    pull(list_key(v[2]), v[3])
    is_reserved = call('ZREM', assigned_key(v[2]), id) == 1
  elseif v[1] == 'running' then
    is_reserved = call('HDEL', running_key(v[2]), id) == 1
  end
  local node = is_reserved and load_node(v[2])
  if node then
    release(node, tonumber(v[4]) or 0)
    save_node(node)
  end
  return facts_of(id, v[3]).dispatch or ''
end

local count = 0
for i = 5, #ARGV, 8 do
  local id, raw, attempt, state = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if call('EXISTS', ended_key(id)) == 0 then
    local dispatch = take_out(id, raw)
    local entry = { attempt, '*', state, ARGV[i + 4], ARGV[i + 5], ARGV[i + 6],
      ARGV[i + 7] }
    if dispatch then
      count_end(dispatch, state)
      count = count + 1
    end
    remember_end({ id = id, dispatch = dispatch }, entry, ARGV[3])
  end
end
-- One that was nowhere may be counted already, or be lost with the counters.
for state, ends in pairs(cjson.decode(ARGV[4])) do
  if (tonumber(call('HGET', TOTALS, state)) or 0) < ends then call('HSET', TOTALS, state, ends) end
end
wake_scheduler()
return count
