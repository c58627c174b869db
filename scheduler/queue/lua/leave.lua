-- A worker gives its node up; what it still holds goes back to its old place.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- Returns 'left', 'more' (call again) or 'lost' (it did not hold the node any more)

local holder = call('HGET', node_key(ARGV[1]), 'incarnation')
if holder ~= ARGV[2] and holder ~= LOST then return 'lost' end
return remove_node(ARGV[1])[3] == 1 and 'left' or 'more'
