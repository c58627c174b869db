-- After a restart of Redis that may have lost the last seconds: a worker says again what it runs.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] task_id
-- ARGV[4] attempt
-- ARGV[5] raw, the task as it was claimed
-- ARGV[6] units
-- ARGV[7] ts_assigned
-- Returns 1 when that attempt is the one that counts, 0 when it is superseded, or its task has ended: it
--   must be stopped

local id, incarnation, task, attempt, raw = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local units = tonumber(ARGV[6])
local node = load_node(id)
if not node or node.incarnation ~= incarnation then return 0 end
local v = redis.call('HMGET', task_key(task), 'state', 'node', 'incarnation', 'attempt')
local known = tonumber(v[4] or '0')
if v[1] == 'running' then
  if v[2] ~= id or v[3] ~= incarnation or known > attempt then return 0 end
  -- What was lost may be the steps between two attempts here.
  redis.call('HSET', task_key(task), 'attempt', attempt)
  redis.call('HSET', running_key(id), task, attempt)
  return 1
end
-- What was lost are the last steps towards this attempt; a record of this attempt or a later one, or of
-- the task's end, is news that the worker has not heard.
if known >= attempt or redis.call('EXISTS', ended_key(task)) == 1 then return 0 end
local is_reserved, is_direct, is_found = false, false, false
if v[1] == 'assigned' then
  if redis.call('LREM', list_key(v[2]), 1, raw) == 0 then return 0 end
  redis.call('ZREM', assigned_key(v[2]), task)
  is_reserved = v[2] == id
  local other = not is_reserved and load_node(v[2])
  if other then
    release(other, units)
    save_node(other)
  end
else
  -- Pending: in the pending queue, or in this node's own where it was put past the scheduler.
  for _, home in ipairs({ '', id }) do
    if redis.call('HDEL', index_key(home), task) == 1 then
      redis.call('LREM', list_key(home), 1, raw)
      is_direct = home == id
      is_found = true
    end
  end
  -- Nowhere, although Redis remembers taking it in: it ended, so long ago that this is forgotten.
  local seq = tonumber(facts_of(task, raw).seq)
  if not is_found and seq and seq <= open_stamps().seq then return 0 end
end
if not is_reserved then
  node.used = node.used + units
  node.tasks = node.tasks + 1
  if node.slots > 0 then take_tokens(node.slots_key, { [id] = 1 }, 1, 1) end
end
save_node(node)
redis.call('SADD', DIRTY, id)
redis.call('HSET', task_key(task), 'state', 'running', 'node', id, 'raw', raw, 'units', units,
  'incarnation', incarnation, 'attempt', attempt, 'ts_assigned', ARGV[7])
if is_direct then redis.call('HSET', task_key(task), 'direct', 1) end
redis.call('HSET', running_key(id), task, attempt)
return 1
