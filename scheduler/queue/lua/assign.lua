-- Apply a plan of placements to the pending queue, up to the first that no longer holds.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2...] per placement: raw (the task as it is in the queue), task_id, node, units,
--   index (its place in the queue when the placements before it are done; 0 under strict FIFO)
-- Returns {applied, refusal, ts_assigned, node state or nil}; refusal is '' when all were applied, else
--   'leader' (not active any more), 'moved' (the queue has another task there), 'stranger' (the task was
--   never taken in), 'node' (no such node, or its lease is over), 'full' (what the node really has is
--   too little)

if not leads(ARGV[1]) then return { 0, 'leader', '' } end
local list, index_name = list_key(''), index_key('')
local now = now_ms()
local ts = ms(now)
local refusal, culprit = '', nil

local plan, names, is_named = {}, {}, {}
for i = 2, #ARGV, 5 do
  local name = ARGV[i + 2]
  plan[#plan + 1] = { raw = ARGV[i], id = ARGV[i + 1], node = name, units = tonumber(ARGV[i + 3]),
    index = ARGV[i + 4] }
  if not is_named[name] then
    is_named[name] = true
    names[#names + 1] = name
  end
end
local nodes = load_nodes(names)

-- Enter the plan into the books up to the first placement that its node cannot take; how many.
local function reserve()
  for count, placement in ipairs(plan) do
    local node = nodes[placement.node]
    if not node or not is_held(node, now) then
      refusal, culprit = 'node', nil
      return count - 1
    end
    culprit = node
    if node.draining or not fits(node, placement.units) then
      refusal = 'full'
      return count - 1
    end
    node.used = node.used + placement.units
    node.tasks = node.tasks + 1
  end
  return #plan
end

-- Take the first `count` of the plan from the head of the queue, as far as they are there and were
-- taken in; how many.
local function take_heads(count)
  if count == 0 then return 0 end
  local found = call('LPOP', list, count) or {}
  local taken, ids = 0, {}
  while taken < count and found[taken + 1] == plan[taken + 1].raw do
    taken = taken + 1
    ids[taken] = plan[taken].id
  end
  if taken < count then refusal = 'moved' end
  local entries = taken > 0 and call('HMGET', index_name, unpack(ids)) or {}
  for at, entry in ipairs(entries) do
    if not entry then
      taken, refusal = at - 1, 'stranger'
      break
    end
  end
  if taken > 0 then call('HDEL', index_name, unpack(ids, 1, taken)) end
  for at = #found, taken + 1, -1 do call('LPUSH', list, found[at]) end
  return taken
end

-- Take a task out of the queue that a waiting one is before; false when it is not there.
local function take_behind(placement)
  if call('LINDEX', list, placement.index) ~= placement.raw then
    refusal = 'moved'
  elseif call('HDEL', index_name, placement.id) == 0 then
    refusal = 'stranger'
  else
    call('LREM', list, 1, placement.raw)
    return true
  end
  return false
end

local planned = reserve()
local heads = 0
while heads < planned and plan[heads + 1].index == '0' do heads = heads + 1 end
local applied = take_heads(heads)
if applied == heads then
  while applied < planned and take_behind(plan[applied + 1]) do applied = applied + 1 end
end
for at = applied + 1, planned do
  culprit = nodes[plan[applied + 1].node]
  local node = nodes[plan[at].node]
  node.used = node.used - plan[at].units
  node.tasks = node.tasks - 1
end

-- Order of assignment, across batches: whole microseconds and the place in the batch.
local rank = math.floor(now * 1000)
local touched, tokens = {}, {}
for at = 1, applied do
  local placement = plan[at]
  local node = nodes[placement.node]
  if not node.raws then
    node.raws, node.ranks = {}, {}
    touched[#touched + 1] = node
  end
  node.raws[#node.raws + 1] = placement.raw
  node.ranks[#node.ranks + 1] = rank + at
  node.ranks[#node.ranks + 1] = placement.id
  call('HSET', task_key(placement.id), 'state', 'assigned', 'node', node.id, 'raw', placement.raw,
    'units', placement.units, 'ts_assigned', ts)
end
save_nodes(touched)
for _, node in ipairs(touched) do
  call('RPUSH', P .. 'q:' .. node.id, unpack(node.raws))
  call('ZADD', assigned_key(node.id), unpack(node.ranks))
  wake_node(node.id)
  if node.slots > 0 then
    local wanted = tokens[node.slots_key] or { nodes = {}, count = 0, total = 0 }
    tokens[node.slots_key] = wanted
    wanted.nodes[node.id] = #node.raws
    wanted.count = wanted.count + 1
    wanted.total = wanted.total + #node.raws
  end
end
for key, wanted in pairs(tokens) do
  take_tokens(key, wanted.nodes, wanted.count, wanted.total)
end
return { applied, refusal, ts, refusal ~= '' and culprit and state_of(culprit) or nil }
