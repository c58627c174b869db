-- Give up a node whose worker did not renew its lease; its tasks go back to their old places.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2] margin_ms after the lease: a worker that was cut off has stopped its tasks by then
-- Returns {status, node, running, assigned}: 'lost', 'more' (the same node again), 'none' (all leases
--   hold) or 'leader' (not active any more)

if not leads(ARGV[1]) then return { 'leader', '', 0, 0 } end
local node = call('ZRANGEBYSCORE', NODES, '-inf', ms(now_ms() - tonumber(ARGV[2])), 'LIMIT', 0, 1)[1]
if not node then return { 'none', '', 0, 0 } end
local moved = remove_node(node)
return { moved[3] == 1 and 'lost' or 'more', node, moved[1], moved[2] }
