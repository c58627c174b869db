-- Prelude: a node's books. Truth is the hash tk:node:<node>; cap:<node>, run_count:<node> and the slot
-- tokens are projections of it for people and are repaired from it.

-- The node, or nil. What a person wrote into cap:<node> is taken over as `hold`: units held back from
-- the truth, never below zero, so that a hand-set value can lower the remaining capacity only.
local function load_node(id)
  local v = redis.call('HMGET', node_key(id), 'incarnation', 'capacity', 'slots', 'used', 'tasks',
    'hold', 'cap', 'draining', 'slots_key', 'lease_end')
  if not v[1] then return nil end
  local node = {
    id = id, incarnation = v[1], capacity = tonumber(v[2]), slots = tonumber(v[3]),
    used = tonumber(v[4]), tasks = tonumber(v[5]), hold = tonumber(v[6]), cap = tonumber(v[7]),
    draining = v[8] == '1', slots_key = P .. v[9], lease_end = tonumber(v[10]),
  }
  local shown = tonumber(redis.pcall('GET', P .. 'cap:' .. id))
  if shown ~= node.cap then
    node.hold = shown and math.max(0, node.hold + node.cap - shown) or 0
    redis.call('SADD', DIRTY, id)
  end
  return node
end

-- Lease the node until `ts`, epoch ms: in its books, and in the order in which leases end.
local function lease(id, ts)
  redis.call('ZADD', NODES, ms(ts), id)
  redis.call('HSET', node_key(id), 'lease_end', ms(ts))
end

local function save_node(node)
  node.cap = node.capacity - node.used - node.hold
  redis.call('HSET', node_key(node.id), 'used', node.used, 'tasks', node.tasks, 'hold', node.hold,
    'cap', node.cap)
  redis.call('MSET', P .. 'cap:' .. node.id, node.cap, P .. 'run_count:' .. node.id, node.tasks)
end

local function fits(node, units)
  return node.capacity - node.used - node.hold >= units
    and (node.slots == 0 or node.tasks < node.slots)
end

-- {id, incarnation, capacity, used, hold, slots, tasks, draining}: what the scheduler's mirror keeps.
-- Units may have decimals where a person set them, so they travel as text.
local function state_of(node)
  return { node.id, node.incarnation, tostring(node.capacity), tostring(node.used),
    tostring(node.hold), tostring(node.slots), tostring(node.tasks), node.draining and 1 or 0 }
end

local function add_tokens(node, count)
  if node.slots == 0 or count <= 0 then return end
  for _ = 1, count do redis.call('RPUSH', node.slots_key, node.id) end
  redis.call('HINCRBY', CONFIG, 'tokens', count)
end

-- Remove the tokens of one node: all of them, and from the expected length as many as it had.
local function purge_tokens(slots_key, id, expected)
  redis.pcall('LREM', slots_key, 0, id)
  if expected > 0 then redis.call('HINCRBY', CONFIG, 'tokens', -expected) end
end

-- Remove `wanted[node] = count` tokens. LREM compares its way through half of the list (25 ns a token),
-- one pass that rebuilds it costs 350 ns a token: cheaper for many nodes at once.
local LREM_MAX_NODES = 24
local function take_tokens(slots_key, wanted, nodes_count, total)
  if total == 0 then return end
  redis.call('HINCRBY', CONFIG, 'tokens', -total)
  if nodes_count <= LREM_MAX_NODES then
    for id, count in pairs(wanted) do redis.pcall('LREM', slots_key, count, id) end
    return
  end
  local tokens = redis.pcall('LRANGE', slots_key, 0, -1)
  if tokens.err then return end
  local kept = {}
  for _, token in ipairs(tokens) do
    local count = wanted[token]
    if count and count > 0 then wanted[token] = count - 1 else kept[#kept + 1] = token end
  end
  redis.call('DEL', slots_key)
  -- unpack() is bound by Lua's stack of about 8000.
  for first = 1, #kept, 1000 do
    redis.call('RPUSH', slots_key, unpack(kept, first, math.min(first + 999, #kept)))
  end
end

-- Make the tokens of one node what its books say. The length of the whole list tells cheaply whether
-- somebody touched it; only then the node's own tokens are counted.
local function repair_tokens(node)
  if node.slots == 0 then return end
  local length = redis.pcall('LLEN', node.slots_key)
  if type(length) ~= 'number' then
    redis.call('DEL', node.slots_key)
    length = 0
  end
  if length == tonumber(redis.call('HGET', CONFIG, 'tokens') or '0') then return end
  local free = node.slots - node.tasks
  local found = #redis.call('LPOS', node.slots_key, node.id, 'COUNT', 0)
  if found > free then redis.call('LREM', node.slots_key, free - found, node.id) end
  for _ = found + 1, free do redis.call('RPUSH', node.slots_key, node.id) end
end

-- A task leaves the node's books.
local function release(node, units)
  node.used = node.used - units
  node.tasks = node.tasks - 1
  add_tokens(node, 1)
  redis.call('SADD', DIRTY, node.id)
end
