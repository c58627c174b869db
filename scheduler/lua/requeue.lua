-- Take back what waits in a node's queue, a portion at a time: it is pending again, at its old place.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] limit
-- Returns {tasks that are pending again, 1 when there may be more}

local id, limit = ARGV[1], tonumber(ARGV[2])
local node = load_node(id)
local moved = 0
for _, task in ipairs(redis.call('ZRANGE', assigned_key(id), 0, limit - 1)) do
  if unassign(task, id, node) ~= 'cancelled' then moved = moved + 1 end
end
if node then save_node(node) end
for _ = moved + 1, limit do
  local raw = redis.call('LPOP', list_key(id))
  if not raw then
    wake_scheduler()
    return { moved, 0 }
  end
  local task = fields_of(raw).task_id
  if type(task) == 'string' and redis.call('HDEL', index_key(id), task) == 1 then
    return_task(task, raw, '')
  else
    redis.call('RPUSH', list_key(''), raw)
  end
  moved = moved + 1
end
wake_scheduler()
return { moved, 1 }
