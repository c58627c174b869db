-- A task that is in the pending queue is not in any node's queue: the indexes of those forget it.
-- KEYS[1] prefix
-- ARGV[1] task_id
-- ARGV[2...] nodes
-- Returns how many had it

local count = 0
for i = 2, #ARGV do count = count + call('HDEL', index_key(ARGV[i]), ARGV[1]) end
return count
