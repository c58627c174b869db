-- A worker renews its lease; the projections of its node are repaired from the truth.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] lease_ms
-- ARGV[4] server, run_id of the Redis that has heard of all that this worker runs
-- Returns {status, edited, free}: status 1, or 0 when this worker does not hold the node (any more): it
--   must stop its tasks; edited is what a person wrote to cap:<node> since the last heartbeat, or '';
--   free are the units that a task may take now

local id = ARGV[1]
local node = load_node(id)
if not node or node.incarnation ~= ARGV[2] then return { 0, '', '' } end
local now = now_ms()
if node.lease_end < now then redis.call('SADD', DIRTY, id) end
lease(id, now + tonumber(ARGV[3]))
redis.call('HSET', node_key(id), 'server', ARGV[4])
-- Whether what is assigned still is in the list: as many as a short search can tell, the next ones at
-- the next heartbeat.
local list = ensure_list(list_key(id))
local length = math.max(1, redis.call('LLEN', list))
local search = math.max(1, math.min(LOOK, math.floor(SEARCH_MAX / length)))
local first = tonumber(redis.call('HGET', node_key(id), 'checked') or '0')
local tasks = redis.call('ZRANGE', assigned_key(id), first, first + search - 1)
redis.call('HSET', node_key(id), 'checked', #tasks < search and 0 or first + search)
for _, task in ipairs(tasks) do
  local raw = redis.call('HGET', task_key(task), 'raw')
  if not raw or not redis.call('LPOS', list, raw) then unassign(task, id, node) end
end
settle_removed(id)
save_node(node)
repair_tokens(node)
local edited = redis.call('HGET', node_key(id), 'edited') or ''
if edited ~= '' then redis.call('HDEL', node_key(id), 'edited') end
return { 1, edited, tostring(node.capacity - node.used - node.hold) }
