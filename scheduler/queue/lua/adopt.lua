-- Take in a task that a person put into a list: give it a place, a stamp and a line in the index.
-- KEYS[1] prefix
-- ARGV[1] node, '' for the pending queue
-- ARGV[2] index in the list
-- ARGV[3] raw, as it is there
-- ARGV[4] task_id
-- ARGV[5] dispatch_id or ''
-- ARGV[6] head, its JSON without seq, ts_enqueue and the closing brace
-- ARGV[7] seq, or '' for the next one
-- ARGV[8] ts_enqueue, or '' for now
-- Returns {status, detail}: 'adopted' with the new raw, 'moved' (another is there now), or
--   'duplicate' with the reason: a task of this id is in the queue, runs, or just ended

local node, raw, id = ARGV[1], ARGV[3], ARGV[4]
local list = list_key(node)
if call('LINDEX', list, ARGV[2]) ~= raw then return { 'moved', '' } end
if call('HEXISTS', index_key(node), id) == 1 then
  return { 'duplicate', 'a task with this id waits already' }
end
local v = call('HMGET', task_key(id), 'state', 'node', 'raw')
if v[1] == 'running' then return { 'duplicate', 'a task with this id runs on ' .. v[2] } end
if v[1] == 'assigned' then
  if call('LPOS', list_key(v[2]), v[3]) then
    return { 'duplicate', 'a task with this id is assigned to ' .. v[2] }
  end
  -- It was moved here out of its node's queue: its reservation ends.
  local holder = load_node(v[2])
  call('ZREM', assigned_key(v[2]), id)
  if holder then
    release(holder, tonumber(call('HGET', task_key(id), 'units')) or 0)
    save_node(holder)
  end
  call('HSET', task_key(id), 'state', 'pending', 'node', '')
elseif not v[1] and call('EXISTS', ended_key(id)) == 1 then
  return { 'duplicate', 'a task with this id has just ended' }
end
local stamps = open_stamps()
local seq = ARGV[7] ~= '' and ARGV[7] or next_seq(stamps)
local ts = ARGV[8] ~= '' and ARGV[8] or next_ts(stamps)
close_stamps(stamps)
local adopted = ARGV[6] .. ',"seq":' .. seq .. ',"ts_enqueue":' .. ts .. '}'
call('LSET', list, ARGV[2], adopted)
call('HSET', index_key(node), id, seq .. ' ' .. ts .. ' ' .. ARGV[5])
return { 'adopted', adopted }
