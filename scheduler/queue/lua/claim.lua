-- A worker takes what was assigned to it; the capacity for it is reserved already.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] limit of tasks
-- ARGV[4] call, the number of this claim among those of its worker
-- Returns {status, claimed, stranger, cancelled, more}: status 1, or 0 when this worker does not hold
--   the node; claimed: per task {task_id, raw, attempt, ts_assigned}; stranger: the first task in its
--   queue that no scheduler put there, or nil; cancelled: running tasks to be stopped, up to 500 of
--   them; more: 1 when the next call finds more within the limit

-- Running tasks that are told to be cancelled in one reply: what has stopped is left out of the next one.
local CANCELLED_MAX = 500

local id, incarnation = ARGV[1], ARGV[2]
if call('HGET', node_key(id), 'incarnation') ~= incarnation then return { 0, {}, nil, {}, 0 } end
local list = ensure_list(list_key(id))
local claimed, more = {}, 0
for _, task in ipairs(call('ZRANGE', assigned_key(id), 0, tonumber(ARGV[3]) - 1)) do
  if work_left <= 0 then
    more = #claimed > 0 and 1 or 0
    break
  end
  local v = call('HMGET', task_key(task), 'raw', 'ts_assigned')
  spend(TASK_WORK + #(v[1] or '') / 100)
  -- What a person took out of the list is left to the next heartbeat.
  if v[1] and pull(list, v[1]) then
    local attempt = call('HINCRBY', task_key(task), 'attempt', 1)
    call('HSET', task_key(task), 'state', 'running', 'incarnation',
      incarnation .. '#' .. ARGV[4])
    call('ZREM', assigned_key(id), task)
    call('HSET', running_key(id), task, attempt)
    claimed[#claimed + 1] = { task, v[1], attempt, v[2] }
  end
end
local stranger = false
if call('ZCARD', assigned_key(id)) == 0 then stranger = call('LINDEX', list, 0) end
return { 1, claimed, stranger, call('SRANDMEMBER', cancel_key(id), CANCELLED_MAX), more }
