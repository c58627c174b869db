-- Apply a plan of placements to the pending queue, up to the first that no longer holds.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- ARGV[2...] per placement: raw (the task as it stands in the queue), task_id, node, units,
--   index (its place in the queue when the placements before it are done; 0 under strict FIFO)
-- Returns {applied, refusal, ts_assigned, node state or nil}; refusal is '' when all were applied, else
--   'leader' (not active any more), 'moved' (the queue has another task there), 'stranger' (the task was
--   never taken in), 'node' (no such node, or its lease is over), 'full' (what the node really has is
--   too little)

if not leads(ARGV[1]) then return { 0, 'leader', '' } end
local list, index_name = list_key(''), index_key('')
local now = now_ms()
local ts = ms(now)
-- Order of assignment, across batches: whole microseconds and the place in the batch.
local rank = math.floor(now * 1000)
local nodes, order, taken, taken_count, taken_nodes = {}, {}, {}, 0, 0
local applied, refusal, culprit = 0, '', nil

-- Take a task out of the queue, if it stands where it was seen and was taken in.
local function take(raw, id, index)
  local is_head = index == '0'
  local found = is_head and redis.call('LPOP', list) or redis.call('LINDEX', list, index)
  local refused = nil
  if found ~= raw then
    refused = 'moved'
  elseif redis.call('HDEL', index_name, id) == 0 then
    refused = 'stranger'
  end
  if is_head and refused and found then redis.call('LPUSH', list, found) end
  if not is_head and not refused then redis.call('LREM', list, 1, raw) end
  return refused
end

local function place(raw, id, node_id, units, index)
  local node = nodes[node_id]
  if node == nil then
    node = load_node(node_id)
    if not node or node.lease_end < now then return 'node' end
    nodes[node_id] = node
  end
  culprit = node
  if node.draining or not fits(node, units) then return 'full' end
  local refused = take(raw, id, index)
  if refused then return refused end
  push(P .. 'q:' .. node_id, raw)
  redis.call('ZADD', assigned_key(node_id), rank + applied, id)
  redis.call('HSET', task_key(id), 'state', 'assigned', 'node', node_id, 'raw', raw, 'units', units,
    'ts_assigned', ts)
  if not node.is_touched then
    node.is_touched = true
    order[#order + 1] = node
  end
  node.used = node.used + units
  node.tasks = node.tasks + 1
  if node.slots > 0 then
    local wanted = taken[node.slots_key]
    if not wanted then
      wanted = { nodes = {}, count = 0, total = 0 }
      taken[node.slots_key] = wanted
    end
    if not wanted.nodes[node_id] then
      wanted.count = wanted.count + 1
      wanted.nodes[node_id] = 0
    end
    wanted.nodes[node_id] = wanted.nodes[node_id] + 1
    wanted.total = wanted.total + 1
  end
  return ''
end

for i = 2, #ARGV, 5 do
  refusal = place(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4])
  if refusal ~= '' then break end
  applied = applied + 1
end
for _, node in ipairs(order) do
  save_node(node)
  wake_node(node.id)
end
for key, wanted in pairs(taken) do
  take_tokens(key, wanted.nodes, wanted.count, wanted.total)
end
return { applied, refusal, ts, refusal ~= '' and culprit and state_of(culprit) or nil }
