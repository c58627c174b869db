-- A worker says again what it runs, to a queue that may have lost that it was given out.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation of the claim
-- ARGV[3] task_id
-- ARGV[4] attempt
-- ARGV[5] raw, the task as it was claimed
-- ARGV[6] units
-- ARGV[7] ts_assigned
-- ARGV[8] held, 1 when the worker has held its lease ever since the claim: then only this queue can have
--   forgotten the attempt, 0 when others may have run the task meanwhile
-- Returns 1 when that attempt is the one that counts, 0 when it is superseded, or its task has ended: it
--   must be stopped

local id, incarnation, task, attempt, raw = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local units = tonumber(ARGV[6])
local node = load_node(id)
if not node or node.incarnation ~= worker_of(incarnation) then return 0 end
local v = call('HMGET', task_key(task), 'state', 'node', 'incarnation', 'attempt', 'raw', 'units')
local known = tonumber(v[4]) or 0
if v[1] == 'running' then
  if v[2] ~= id or worker_of(v[3]) ~= worker_of(incarnation) or known > attempt then return 0 end
  -- What was lost may be the steps between two attempts here.
  call('HSET', task_key(task), 'attempt', attempt, 'incarnation', incarnation)
  call('HSET', running_key(id), task, attempt)
  return 1
end
-- What was lost are the last steps towards this attempt; a record of this attempt or a later one, or of
-- the task's end, is news that the worker has not heard.
if known >= attempt or call('EXISTS', ended_key(task)) == 1 then return 0 end

-- Take the task out of a list; after a loss it may have been taken in once more, with another stamp.
local function pull_task(list)
  if call('LREM', list, 1, raw) > 0 then return end
  local mark = '"task_id":' .. cjson.encode(task)
  for _, other in ipairs(call('LRANGE', list, 0, MOVED_MAX - 1)) do
    if string.find(other, mark, 1, true) then call('LREM', list, 1, other) return end
  end
end

local is_reserved, is_direct, is_found = false, false, false
if v[1] == 'assigned' then
  if call('LREM', list_key(v[2]), 1, v[5]) == 0 then return 0 end
  call('ZREM', assigned_key(v[2]), task)
  is_reserved = v[2] == id
  local other = not is_reserved and load_node(v[2])
  if other then
    release(other, tonumber(v[6]) or 0)
    save_node(other)
  end
elseif not v[1] and call('HGET', running_key(id), task) == ARGV[4] then
  -- Somebody spoiled its record.
  is_reserved = true
else
  -- Pending: in the pending queue, or in this node's own where it was put past the scheduler.
  for _, home in ipairs({ '', id }) do
    if call('HDEL', index_key(home), task) == 1 then
      pull_task(list_key(home))
      is_direct = home == id
      is_found = true
    end
  end
  -- Nowhere, although Redis remembers taking it in: it ended, so long ago that this is forgotten.
  local seq = tonumber(facts_of(task, raw).seq)
  if not is_found and ARGV[8] == '0' and seq and seq <= open_stamps().seq then return 0 end
end
if not is_reserved then
  node.used = node.used + units
  node.tasks = node.tasks + 1
  if node.slots > 0 then take_tokens(node.slots_key, { [id] = 1 }, 1, 1) end
end
save_node(node)
call('SADD', DIRTY, id)
call('HSET', task_key(task), 'state', 'running', 'node', id, 'raw', raw, 'units', units,
  'incarnation', incarnation, 'attempt', attempt, 'ts_assigned', ARGV[7])
if is_direct then call('HSET', task_key(task), 'direct', 1) end
call('HSET', running_key(id), task, attempt)
return 1
