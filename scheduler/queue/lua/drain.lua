-- Give a node nothing new, and take back what it has not begun; or let it take part again.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] 1 to drain, 0 to take part
-- Returns {tasks taken back, tasks that run, 1 when there is more to take back: call again}, or
--   {-1, 0, 0} when there is no such node

local node = load_node(ARGV[1])
if not node then return { -1, 0, 0 } end
local returned, is_over = 0, true
redis.call('HSET', node_key(node.id), 'draining', ARGV[2])
if ARGV[2] == '1' then
  returned, is_over = unassign_all(node.id, node)
  save_node(node)
end
redis.call('SADD', DIRTY, node.id)
wake_scheduler()
wake_node(node.id)
return { returned, redis.call('HLEN', running_key(node.id)), is_over and 0 or 1 }
