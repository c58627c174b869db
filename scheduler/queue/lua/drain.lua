-- Give a node nothing new, and take back what it has not begun; or let it take part again.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] 1 to drain, 0 to take part
-- ARGV[3] who asks: 'operator', whose word holds until somebody takes it back, or 'worker' on its way out
-- Returns {tasks taken back, tasks that run, 1 when there is more to take back: call again}, or
--   {-1, 0, 0} when there is no such node

local was_drained = 0
if ARGV[2] == '0' then was_drained = call('SREM', DRAINED, ARGV[1]) end
local node = load_node(ARGV[1])
if not node then return { was_drained - 1, 0, 0 } end
if ARGV[2] == '1' and ARGV[3] == 'operator' then call('SADD', DRAINED, ARGV[1]) end
local returned, is_over = 0, true
call('HSET', node_key(node.id), 'draining', ARGV[2])
if ARGV[2] == '1' then
  returned, is_over = unassign_all(node.id, node)
  save_node(node)
end
call('SADD', DIRTY, node.id)
wake_scheduler()
wake_node(node.id)
return { returned, call('HLEN', running_key(node.id)), is_over and 0 or 1 }
