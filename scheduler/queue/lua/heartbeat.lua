-- A worker renews its lease and states what it runs; what the queue believes it to run besides, and the
-- projections of its node, are repaired.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] lease_ms
-- ARGV[4] server, run_id of the Redis that has heard of all that this worker runs
-- ARGV[5] heard, number of its last claim whose answer it has heard
-- ARGV[6] known_life, id of the data's life as this worker knows it, '' for none
-- ARGV[7] known_beat
-- ARGV[8] fresh_life, an id for a new one
-- ARGV[9...] attempts that it holds, each "task_id attempt": they run, or their end is not confirmed yet
-- Returns {status, life, beat, ghosts, unknown, edited, free}: status 1, or 0 when this worker does not hold the node;
--   another life than the known one means that data were lost; ghosts: {task_id, attempt, incarnation} of
--   attempts that the queue has as running here and the worker does not hold; unknown: held attempts that
--   the queue does not have as running here; edited is what a person wrote to cap:<node> since the last
--   heartbeat, or ''; free are the units that a task may take now

local id = ARGV[1]
local life, beat = witness(ARGV[6], ARGV[7], ARGV[8])
local node = load_node(id)
if not node or node.incarnation ~= ARGV[2] then return { 0, life, beat, {}, {}, '', '' } end
local now = now_ms()
if node.lease_end < now then call('SADD', DIRTY, id) end
lease(id, now + tonumber(ARGV[3]))
-- One that has just learnt of a loss says next what it runs.
if ARGV[6] == '' or ARGV[6] == life then call('HSET', node_key(id), 'server', ARGV[4] .. ' ' .. life) end

local held, is_running, ghosts, unknown = {}, {}, {}, {}
for i = 9, #ARGV do held[ARGV[i]] = true end
local running = call('HGETALL', running_key(id))
for i = 1, #running, 2 do
  local name = running[i] .. ' ' .. running[i + 1]
  is_running[name] = true
  if not held[name] and #ghosts < LOOK then
    local claim = call('HGET', task_key(running[i]), 'incarnation')
    local number = tonumber(string.match(claim or '', '#(%d+)$')) or 0
    if not claim then
      -- Somebody spoiled its record: nothing is known of it but that nobody runs it.
      call('HDEL', running_key(id), running[i])
    elseif number <= tonumber(ARGV[5]) or worker_of(claim) ~= ARGV[2] then
      -- With a higher number the answer to its claim is still on its way.
      ghosts[#ghosts + 1] = { running[i], running[i + 1], claim }
    end
  end
end
for i = 9, #ARGV do
  if not is_running[ARGV[i]] then unknown[#unknown + 1] = ARGV[i] end
end

-- Ends that were accepted and that the worker has heard of are forgotten, a portion at each heartbeat.
local accepted = call('HRANDFIELD', accepted_key(id), 4 * LOOK, 'WITHVALUES')
local heard = {}
for i = 1, #accepted, 2 do
  local is_mine = worker_of(string.match(accepted[i + 1], '^%S+')) == ARGV[2]
  if is_mine and not held[accepted[i]] then heard[#heard + 1] = accepted[i] end
end
if #heard > 0 then call('HDEL', accepted_key(id), unpack(heard)) end
if #accepted > 0 then call('PEXPIRE', accepted_key(id), ACCEPTED_TTL_MS) end

-- Whether what is assigned is still in the list: as many as a short search can tell, the next ones at
-- the next heartbeat.
local list = ensure_list(list_key(id))
local length = math.max(1, call('LLEN', list))
local search = math.max(1, math.min(LOOK, math.floor(SEARCH_MAX / length)))
local first = tonumber(call('HGET', node_key(id), 'checked')) or 0
local tasks = call('ZRANGE', assigned_key(id), first, first + search - 1)
call('HSET', node_key(id), 'checked', #tasks < search and 0 or first + search)
for _, task in ipairs(tasks) do
  local raw = call('HGET', task_key(task), 'raw')
  if not raw or not call('LPOS', list, raw) then unassign(task, id, node) end
end
settle_removed(id)
local holds = call('HLEN', running_key(id)) + call('ZCARD', assigned_key(id))
local is_wrong = node.tasks ~= holds
if is_wrong then
  call('HINCRBY', CONFIG, 'tokens', node.slots > 0 and node.tasks - holds or 0)
  recount(node)
end
save_node(node)
repair_tokens(node, is_wrong)
local edited = call('HGET', node_key(id), 'edited') or ''
if edited ~= '' then call('HDEL', node_key(id), 'edited') end
return { 1, life, beat, ghosts, unknown, edited, tostring(node.capacity - node.used - node.hold) }
