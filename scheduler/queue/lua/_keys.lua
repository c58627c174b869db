-- Prelude of every script: key names, time, small readers. KEYS[1] is the prefix of all keys ("" by
-- default); all other names derive from it, so the queue needs one Redis that holds them all (no
-- cluster). Names of the seeds are unchanged, ours begin with tk:.

local P = KEYS[1]

-- One command that no key's type can stop. A person may have made a key into another type (SET
-- slots:available x) or a counter into text: an error in the middle of a script would leave the steps
-- before it done and those behind it not, and so lose a task. Its value holds nothing of ours any
-- more, so it is removed and the command repeated. Every other error (OOM, NOPERM) is raised by the first
-- writing command, before anything has changed.
local function call(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then
    redis.call('UNLINK', key)
  elseif command == 'HINCRBY' then
    redis.call('HDEL', key, (...))
  elseif command == 'INCR' then
    redis.call('UNLINK', key)
  end
  return redis.call(command, key, ...)
end

local RESULTS, TOTALS, NODES, DIRTY, CONFIG, DEAD =
  P .. 'tk:results', P .. 'tk:totals', P .. 'tk:nodes', P .. 'tk:dirty', P .. 'tk:config', P .. 'q:dead'

-- SET: nodes that an operator drained, alive or not.
local DRAINED = P .. 'tk:drained'

-- The list of one node, or the pending queue for ''.
local function list_key(node)
  if node ~= '' then return P .. 'q:' .. node end
  return P .. (call('HGET', CONFIG, 'pending') or 'q:pending')
end

-- What ought to be in that list beyond assigned tasks: HASH task id -> "seq ts_enqueue dispatch_id".
local function index_key(node) return P .. 'tk:index:' .. node end

local function node_key(node) return P .. 'tk:node:' .. node end
local function task_key(id) return P .. 'tk:task:' .. id end
local function ended_key(id) return P .. 'tk:ended:' .. id end
local function assigned_key(node) return P .. 'tk:assigned:' .. node end
local function running_key(node) return P .. 'tk:running:' .. node end
local function cancel_key(node) return P .. 'tk:cancel:' .. node end

-- HASH "task attempt" -> "incarnation state ts_finish": ends that were accepted and whose worker has not
-- said yet that it heard of it. It may have been cut off for as long as ACCEPTED_TTL_MS.
local function accepted_key(node) return P .. 'tk:accepted:' .. node end
local ACCEPTED_TTL_MS = 24 * 3600 * 1000

-- A claim is named by its worker's incarnation and the number of the call: after a loss of data the same
-- attempt may be claimed by the same worker a second time, and is another one.
local function worker_of(claim) return string.match(claim or '', '^[^#]*') end

-- The controller's clock, epoch ms with decimals.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
end

local function ms(value) return string.format('%.3f', value) end

local function wake_scheduler() call('PUBLISH', P .. 'tk:wake', '') end
local function wake_node(node) call('PUBLISH', P .. 'tk:wake:' .. node, '') end

-- Places and times for tasks that enter: the next whole number, and the clock in whole microseconds but
-- later than the one before. Read once, counted here, written once.
local STAMPS_SEQ, STAMPS_US = P .. 'tk:seq', P .. 'tk:last_us'
local function open_stamps()
  local last = call('MGET', STAMPS_SEQ, STAMPS_US)
  local time = redis.call('TIME')
  local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local us = tonumber(last[2] or '') or 0
  -- A counter that somebody overwrote continues above all that it can have been.
  return { seq = tonumber(last[1] or '') or (us > 0 and now_us or 0), us = us, now_us = now_us }
end
local function next_seq(stamps)
  stamps.seq = stamps.seq + 1
  return string.format('%.0f', stamps.seq)
end
local function next_ts(stamps)
  stamps.us = math.max(stamps.now_us, stamps.us + 1)
  return string.format('%.3f', stamps.us / 1000)
end
local function close_stamps(stamps)
  call('MSET', STAMPS_SEQ, string.format('%.0f', stamps.seq),
    STAMPS_US, string.format('%.0f', stamps.us))
end

-- What one call may cost Redis, which does nothing else meanwhile: counted in elements of a list that are
-- compared, 25 to 40 ns each. A script that moves many tasks stops when this is spent and says that there
-- is more; 0.7 ms leaves twice as much for the task that it is at, and for a slower machine.
local work_left = 20000
local function spend(units) work_left = work_left - units end

-- Moving one task from state to state costs 10 to 15 us beside what is searched and decoded for it.
local TASK_WORK = 450

-- Decoding costs about 10 ns a byte and is needed for tasks of a few hundred; what is longer than this
-- is poison that the scheduler is about to bury, and to decode it would block Redis.
local DECODE_MAX_BYTES = 65536

-- The fields of a task's JSON, {} for what is not an object. For reading only: to encode again would
-- spoil empty lists and long numbers.
local function fields_of(raw)
  if not raw or #raw > DECODE_MAX_BYTES then return {} end
  spend(#raw / 3)
  local ok, task = pcall(cjson.decode, raw)
  if not ok or type(task) ~= 'table' then return {} end
  for key, value in pairs(task) do
    if value == cjson.null then task[key] = nil end
  end
  return task
end

-- What a person left under a list's name that is not a list (SET q:pending …) is removed.
local function ensure_list(list)
  local kind = call('TYPE', list).ok
  if kind ~= 'list' and kind ~= 'none' then call('UNLINK', list) end
  return list
end

-- Take `raw` out of a list, where it mostly is at one of the ends; false when it is not there.
local function pull(list, raw)
  if call('LINDEX', list, 0) == raw then return call('LPOP', list) ~= false end
  if call('LINDEX', list, -1) == raw then return call('RPOP', list) ~= false end
  spend(call('LLEN', list))
  return call('LREM', list, 1, raw) > 0
end
