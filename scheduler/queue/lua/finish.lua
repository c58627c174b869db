-- An attempt ended. Safe to repeat: the same attempt of the same worker gets the same answer.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] task_id
-- ARGV[4] attempt
-- ARGV[5] outcome: done, failed, refused (it would never work), returned (stopped through no fault of
--   its own), crashed (the adapter died under it)
-- ARGV[6] status, exit code or ''
-- ARGV[7] reason or ''
-- Returns {what became of the task, ts_finish}: done, failed, dead, cancelled, pending (it will be run
--   again), or superseded (this attempt does not count)

-- An adapter dies of what the machine does to it now and then; so often under one task it is the task's
-- doing. Too small: an innocent neighbour dies with it; too large: each time costs all beside it an
-- attempt.
local CRASHES_MAX = 3

local id, incarnation, task, outcome, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[7]
local now = ms(now_ms())
local v = redis.call('HMGET', task_key(task), 'state', 'node', 'incarnation', 'attempt', 'raw', 'units',
  'failures', 'direct', 'cancel', 'ts_assigned', 'last_finish', 'crashes')
if not v[1] then
  local ended = redis.call('GET', ended_key(task))
  local attempt, by, state, ts = string.match(ended or '', '^(%S+) (%S+) (%S+) (%S+)')
  if attempt == ARGV[4] and by == incarnation then return { state, ts } end
  return { 'superseded', now }
end
local mine = ARGV[4] .. ' ' .. incarnation
if v[1] ~= 'running' or v[2] ~= id or v[3] ~= incarnation or v[4] ~= ARGV[4] then
  if v[11] == mine then return { 'pending', now } end
  return { 'superseded', now }
end

redis.call('HDEL', running_key(id), task)
redis.call('SREM', cancel_key(id), task)
local node = load_node(id)
if node and node.incarnation == incarnation then
  release(node, tonumber(v[6]))
  save_node(node)
  wake_scheduler()
end

local facts = facts_of(task, v[5])
local attempt = { number = ARGV[4], node = id, incarnation = incarnation, ts_assigned = v[10],
  status = ARGV[6] }
local home = v[8] and id or ''
if v[9] and outcome ~= 'done' then return { 'cancelled', end_task(facts, 'cancelled', v[9], attempt) } end
if outcome == 'done' then return { 'done', end_task(facts, 'done', reason, attempt) } end
local crashes = (tonumber(v[12]) or 0) + (outcome == 'crashed' and 1 or 0)
if outcome == 'returned' or outcome == 'crashed' and crashes < CRASHES_MAX then
  redis.call('HSET', task_key(task), 'last_finish', mine, 'crashes', crashes)
  return_task(task, v[5], home)
  return { 'pending', now }
end
local allowed = tonumber(redis.call('HGET', CONFIG, 'max_attempts') or '1')
local failures = (tonumber(v[7]) or 0) + 1
if outcome == 'failed' and failures < allowed then
  redis.call('HSET', task_key(task), 'failures', failures, 'last_finish', mine)
  return_task(task, v[5], home)
  return { 'pending', now }
end
-- One attempt allowed: failed is final. More allowed and used up, or not worth another: dead.
local state = (outcome ~= 'failed' or allowed > 1) and 'dead' or 'failed'
if outcome == 'crashed' then reason = reason .. ' under it, ' .. crashes .. ' times' end
if state == 'dead' then add_dead_letter(task, reason, v[5]) end
return { state, end_task(facts, state, reason, attempt) }
