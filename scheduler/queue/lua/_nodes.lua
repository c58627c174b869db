-- Prelude: a node's books. Truth is the hash tk:node:<node>; cap:<node>, run_count:<node> and the slot
-- tokens are projections of it for people and are repaired from it.

-- Books that somebody spoiled are made again from what the node holds.
local function recount(node)
  node.used, node.tasks, node.is_edited = 0, 0, true
  call('SADD', DIRTY, node.id)
  local function add(tasks)
    node.tasks = node.tasks + #tasks
    for _, task in ipairs(tasks) do
      node.used = node.used + (tonumber(call('HGET', task_key(task), 'units') or '') or 0)
    end
  end
  add(call('ZRANGE', assigned_key(node.id), 0, -1))
  add(call('HKEYS', running_key(node.id)))
end

-- A node as its hash and `shown`, the text in cap:<node>, say; nil when there is none. What a person wrote
-- there is taken over as `hold`: units held back from the truth, never below zero, so that a hand-set
-- value can lower the remaining capacity only.
local function node_of(id, shown)
  local v = call('HMGET', node_key(id), 'used', 'tasks', 'hold', 'incarnation', 'lease_end',
    'capacity', 'slots', 'slots_key', 'draining')
  if not v[4] then return nil end
  local node = {
    id = id, used = tonumber(v[1] or ''), tasks = tonumber(v[2] or ''), hold = tonumber(v[3] or '') or 0,
    incarnation = v[4], lease_end = tonumber(v[5] or '') or 0,
    capacity = tonumber(v[6] or ''),
    slots = tonumber(v[7] or '') or 0, slots_key = P .. (v[8] or 'slots:available'),
    draining = v[9] == '1',
  }
  if not (node.used and node.tasks) then recount(node) end
  if not node.capacity then
    node.capacity = tonumber(call('GET', P .. 'cap_total:' .. id) or '') or 0
    call('HSET', node_key(id), 'capacity', node.capacity)
  end
  local free, cap = tonumber(shown or ''), node.capacity - node.used - node.hold
  if free ~= cap then
    node.hold = free and math.max(0, node.hold + cap - free) or 0
    node.is_edited = true
    -- Told at the next heartbeat, whichever script finds it.
    if free then call('HSET', node_key(id), 'edited', string.sub(shown, 1, 32)) end
    call('SADD', DIRTY, id)
  end
  return node
end

-- Nodes by name, those that exist.
local function load_nodes(names)
  if #names == 0 then return {} end
  local keys, nodes = {}, {}
  for at, name in ipairs(names) do keys[at] = P .. 'cap:' .. name end
  local shown = call('MGET', unpack(keys))
  for at, name in ipairs(names) do nodes[name] = node_of(name, shown[at]) end
  return nodes
end

-- The node, or nil.
local function load_node(id) return load_nodes({ id })[id] end

-- Stands for the incarnation of a node that is being given up.
local LOST = 'lost'

-- True while a worker holds the node.
local function is_held(node, now) return node.incarnation ~= LOST and node.lease_end >= now end

-- Lease the node until `ts`, epoch ms: in its books, and in the order in which leases end.
local function lease(id, ts)
  call('ZADD', NODES, ms(ts), id)
  call('HSET', node_key(id), 'lease_end', ms(ts))
end

local function save_nodes(nodes)
  local projections = {}
  for _, node in ipairs(nodes) do
    local books = { 'used', node.used, 'tasks', node.tasks }
    if node.is_edited then books = { 'used', node.used, 'tasks', node.tasks, 'hold', node.hold } end
    call('HSET', node_key(node.id), unpack(books))
    local at = #projections
    projections[at + 1] = P .. 'cap:' .. node.id
    projections[at + 2] = node.capacity - node.used - node.hold
    projections[at + 3], projections[at + 4] = P .. 'run_count:' .. node.id, node.tasks
  end
  if #nodes > 0 then call('MSET', unpack(projections)) end
end
local function save_node(node) save_nodes({ node }) end

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

-- Slot tokens. The list shows one token for each free slot. To take some out of a long list would block
-- Redis, so what a short search cannot reach is owed: it belongs to a slot that is taken, and stays in the
-- list until a task ends there or heartbeats have swept it out in portions. CONFIG's `tokens` is the length
-- that the list ought to have.
local OWED = P .. 'tk:owed'

-- Comparisons of one search in the list: 0.4 ms.
local SEARCH_MAX = 12000

-- Tokens of one portion: to take them out, look each up and put them back costs 0.1 ms.
local SWEEP_TOKENS = 250

-- Lua's stack bounds unpack() at about 8000.
local function append(list, items)
  for first = 1, #items, 1000 do
    call('RPUSH', list, unpack(items, first, math.min(first + 999, #items)))
  end
end

-- `change[node]` tokens more, or less, are owed.
local function owe(change)
  local names, counts, zero = {}, {}, {}
  for id in pairs(change) do names[#names + 1] = id end
  if #names == 0 then return end
  for at, owed in ipairs(call('HMGET', OWED, unpack(names))) do
    local count = (tonumber(owed or '') or 0) + change[names[at]]
    if count > 0 then
      counts[#counts + 1] = names[at]
      counts[#counts + 1] = count
    else
      zero[#zero + 1] = names[at]
    end
  end
  if #counts > 0 then call('HSET', OWED, unpack(counts)) end
  if #zero > 0 then call('HDEL', OWED, unpack(zero)) end
end

local function add_tokens(node, count)
  if node.slots == 0 or count <= 0 then return end
  local owed = math.min(count, tonumber(call('HGET', OWED, node.id) or '') or 0)
  if owed > 0 then owe({ [node.id] = -owed }) end
  if owed == count then return end
  local tokens = {}
  for at = 1, count - owed do tokens[at] = node.id end
  append(node.slots_key, tokens)
  call('HINCRBY', CONFIG, 'tokens', #tokens)
end

-- What is owed by one node is forgotten, as its tokens are about to be counted or removed.
local function forget_owed(id)
  local owed = call('HGET', OWED, id)
  if not owed then return end
  call('HDEL', OWED, id)
  call('HINCRBY', CONFIG, 'tokens', -(tonumber(owed) or 0))
end

-- Remove the tokens of one node: all of them, and from the expected length as many as it had.
local function purge_tokens(slots_key, id, expected)
  forget_owed(id)
  call('LREM', slots_key, 0, id)
  if expected > 0 then call('HINCRBY', CONFIG, 'tokens', -expected) end
end

-- Take a portion of the list, and put back to its end what is not owed.
local function sweep_tokens(slots_key)
  local tokens = call('LPOP', slots_key, SWEEP_TOKENS)
  if not tokens then return end
  local owed, kept, swept = call('HMGET', OWED, unpack(tokens)), {}, {}
  for at, id in ipairs(tokens) do
    local left = (tonumber(owed[at] or '') or 0) + (swept[id] or 0)
    if left > 0 then
      swept[id] = (swept[id] or 0) - 1
    else
      kept[#kept + 1] = id
    end
  end
  append(slots_key, kept)
  owe(swept)
  call('HINCRBY', CONFIG, 'tokens', #kept - #tokens)
end

-- Remove `wanted[node] = count` tokens, `total` in all, of so many nodes.
local function take_tokens(slots_key, wanted, nodes_count, total)
  if call('LLEN', slots_key) * nodes_count <= SEARCH_MAX then
    call('HINCRBY', CONFIG, 'tokens', -total)
    for id, count in pairs(wanted) do call('LREM', slots_key, count, id) end
    return
  end
  owe(wanted)
end

-- Make the tokens of one node what its books say. The length of the whole list tells cheaply whether
-- somebody touched it; only then, or with `is_certain`, the node's own tokens are counted.
local function repair_tokens(node, is_certain)
  if node.slots == 0 then return end
  if not is_certain and call('LLEN', node.slots_key) == tonumber(call('HGET', CONFIG, 'tokens') or '0') then
    if call('EXISTS', OWED) == 1 then sweep_tokens(node.slots_key) end
    return
  end
  forget_owed(node.id)
  local free = node.slots - node.tasks
  local found = #call('LPOS', node.slots_key, node.id, 'COUNT', 0)
  if found > free then call('LREM', node.slots_key, free - found, node.id) end
  local missing = {}
  for at = 1, free - found do missing[at] = node.id end
  append(node.slots_key, missing)
end

-- A task leaves the node's books.
local function release(node, units)
  node.used = node.used - units
  node.tasks = node.tasks - 1
  add_tokens(node, 1)
  call('SADD', DIRTY, node.id)
end
