-- State of the nodes, for the active scheduler's mirror.
-- KEYS[1] prefix
-- ARGV[1] limit: without names, up to so many of the nodes that changed since they were last read
-- ARGV[2...] names of nodes; none: the changed ones, which are then no longer marked
-- Returns per node its state {id, incarnation, capacity, used, hold, slots, tasks, draining}, or {id}
--   when there is no such node or its lease is over

local names = {}
if ARGV[2] then
  for i = 2, #ARGV do names[#names + 1] = ARGV[i] end
else
  names = call('SPOP', DIRTY, ARGV[1])
end
local states = {}
local now = now_ms()
local nodes = load_nodes(names)
for i, name in ipairs(names) do
  local node = nodes[name]
  if node and is_held(node, now) then
    if node.is_edited then save_node(node) end
    states[i] = state_of(node)
  else
    states[i] = { name }
  end
end
return states
