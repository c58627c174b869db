-- A worker takes the first task of its own queue that was put there past the scheduler, if it fits.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] raw, as it is there
-- ARGV[4] task_id
-- ARGV[5] units
-- ARGV[6] call, the number of this claim among those of its worker
-- Returns {status, attempt, ts_assigned}: status 'claimed', 'full' (to be tried again when something
--   ends), 'moved' (another is there now), 'stranger' (it was never taken in), 'lost' (this worker
--   does not hold the node)

local id, task = ARGV[1], ARGV[4]
local node = load_node(id)
if not node or node.incarnation ~= ARGV[2] then return { 'lost', 0, '' } end
if call('LINDEX', list_key(id), 0) ~= ARGV[3] then return { 'moved', 0, '' } end
if call('HEXISTS', index_key(id), task) == 0 then return { 'stranger', 0, '' } end
local units = tonumber(ARGV[5])
if node.draining or not fits(node, units) then return { 'full', 0, '' } end
call('LPOP', list_key(id))
call('HDEL', index_key(id), task)
node.used = node.used + units
node.tasks = node.tasks + 1
save_node(node)
if node.slots > 0 then take_tokens(node.slots_key, { [id] = 1 }, 1, 1) end
call('SADD', DIRTY, id)
local ts = ms(now_ms())
local attempt = call('HINCRBY', task_key(task), 'attempt', 1)
call('HSET', task_key(task), 'state', 'running', 'node', id, 'raw', ARGV[3], 'units', units,
  'incarnation', ARGV[2] .. '#' .. ARGV[6], 'direct', 1, 'ts_assigned', ts)
call('HSET', running_key(id), task, attempt)
return { 'claimed', attempt, ts }
