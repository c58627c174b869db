-- An attempt ended. Safe to repeat: the same attempt of the same worker gets the same answer.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation of the claim
-- ARGV[3] task_id
-- ARGV[4] attempt
-- ARGV[5] outcome: done, failed, refused (it would never work), returned (stopped through no fault of
--   its own), crashed (the adapter died under it)
-- ARGV[6] status, exit code or ''
-- ARGV[7] reason or ''
-- ARGV[8...] ends whose answer this worker has heard, each "task_id attempt": they may be forgotten
-- Returns {what became of the task, ts_finish}: done, failed, dead, cancelled, pending (it will be run
--   again), or superseded (this attempt does not count)

-- An adapter dies of what the machine does to it now and then; so often under one task it is the task's
-- doing. Too small: an innocent neighbour dies with it; too large: each time costs all beside it an
-- attempt.
local CRASHES_MAX = 3

local id, incarnation, task, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[7]
local now = ms(now_ms())
local v = call('HMGET', task_key(task), 'state', 'node', 'incarnation', 'attempt', 'raw', 'units',
  'failures', 'direct', 'cancel', 'ts_assigned', 'last_finish', 'crashes')
if ARGV[8] then call('HDEL', accepted_key(id), unpack(ARGV, 8)) end
local mine, name = ARGV[4] .. ' ' .. incarnation, task .. ' ' .. ARGV[4]
local is_counting = v[1] == 'running' and v[2] == id and v[3] == incarnation and v[4] == ARGV[4]
if not is_counting then
  local by, state, ts = string.match(call('HGET', accepted_key(id), name) or '', '^(%S+) (%S+) (%S+)$')
  if by == incarnation then return { state, ts } end
end
if not v[1] then
  local ended = call('GET', ended_key(task))
  local attempt, by, state, ts = string.match(ended or '', '^(%S+) (%S+) (%S+) (%S+)')
  if attempt == ARGV[4] and (by == incarnation or by == '*') then return { state, ts } end
  return { 'superseded', now }
end
if not is_counting then
  if v[11] == mine then return { 'pending', now } end
  return { 'superseded', now }
end

local is_reserved = call('HDEL', running_key(id), task) == 1
call('SREM', cancel_key(id), task)
local node = load_node(id)
if node and is_reserved then
  release(node, tonumber(v[6]) or 0)
  save_node(node)
  wake_scheduler()
end

local facts = facts_of(task, v[5])
local attempt = { number = ARGV[4], node = id, incarnation = incarnation, ts_assigned = v[10],
  status = ARGV[6] }
local home = v[8] and id or ''
-- The task has reached its end.
local function accept(state, why)
  local ts = end_task(facts, state, why, attempt)
  call('HSET', accepted_key(id), name, incarnation .. ' ' .. state .. ' ' .. ts)
  return { state, ts }
end
if v[9] and outcome ~= 'done' then return accept('cancelled', v[9]) end
if outcome == 'done' then return accept('done', reason) end
local crashes = (tonumber(v[12]) or 0) + (outcome == 'crashed' and 1 or 0)
if outcome == 'returned' or outcome == 'crashed' and crashes < CRASHES_MAX then
  call('HSET', task_key(task), 'last_finish', mine, 'crashes', crashes)
  return_task(task, v[5], home)
  return { 'pending', now }
end
local allowed = tonumber(call('HGET', CONFIG, 'max_attempts')) or 1
local failures = (tonumber(v[7]) or 0) + 1
if outcome == 'failed' and failures < allowed then
  call('HSET', task_key(task), 'failures', failures, 'last_finish', mine)
  return_task(task, v[5], home)
  return { 'pending', now }
end
-- One attempt allowed: failed is final. More allowed and used up, or not worth another: dead.
local state = (outcome ~= 'failed' or allowed > 1) and 'dead' or 'failed'
if outcome == 'crashed' then reason = reason .. ' under it, ' .. crashes .. ' times' end
if state == 'dead' then add_dead_letter(task, reason, v[5]) end
return accept(state, reason)
