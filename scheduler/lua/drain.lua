-- Give a node nothing new, and take back what it has not begun; or let it take part again.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] 1 to drain, 0 to take part
-- Returns {tasks taken back, tasks that run}, or {-1, 0} when there is no such node

local node = load_node(ARGV[1])
if not node then return { -1, 0 } end
local returned = 0
redis.call('HSET', node_key(node.id), 'draining', ARGV[2])
if ARGV[2] == '1' then
  for _, task in ipairs(redis.call('ZRANGE', assigned_key(node.id), 0, -1)) do
    unassign(task, node.id, node)
    returned = returned + 1
  end
  save_node(node)
end
redis.call('SADD', DIRTY, node.id)
wake_scheduler()
wake_node(node.id)
return { returned, redis.call('HLEN', running_key(node.id)) }
