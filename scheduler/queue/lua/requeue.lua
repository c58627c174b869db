-- Take back what waits in a node's queue, a portion at a time: it is pending again, at its old place.
-- KEYS[1] prefix
-- ARGV[1] node
-- Returns {tasks that are pending again, 1 when there may be more}

local id = ARGV[1]
local node = load_node(id)
local assigned, is_over = unassign_all(id, node)
if node then save_node(node) end
local direct = 0
if is_over then
  direct, is_over = requeue_direct(id)
end
wake_scheduler()
return { assigned + direct, is_over and 0 or 1 }
