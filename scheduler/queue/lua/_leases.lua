-- Prelude: what belongs to a node's lease.

-- True when `token` is the active scheduler.
local function leads(token) return call('GET', P .. 'tk:leader') == token end

-- tk:life is {id, beat, after, ts_lost}: each life of the data has an id, and the active scheduler moves
-- its beat on at each renewal. Who remembers this life at a later beat, or a life that this one does not
-- follow, proves that data were lost (empty restart, FLUSHALL, an old snapshot): then a new life begins,
-- under an id that no snapshot can bring back. Returns the id and the beat.
local LIFE = P .. 'tk:life'
local function witness(known_id, known_beat, fresh_id)
  local v = call('HMGET', LIFE, 'id', 'beat', 'after')
  local id, beat = v[1], tonumber(v[2]) or 0
  local is_lost = known_id ~= '' and (not id or id ~= known_id and v[3] ~= known_id
    or id == known_id and beat < (tonumber(known_beat) or 0))
  if id and not is_lost then return id, beat end
  call('HSET', LIFE, 'id', fresh_id, 'beat', beat, 'after', known_id)
  if is_lost then call('HSET', LIFE, 'ts_lost', ms(now_ms())) end
  return fresh_id, beat
end

-- Tasks that are looked up at once by scripts that move as many as their work allows.
local LOOK = 32

-- Take back what is assigned to a node, the last first: each then returns to the very head of the
-- pending queue. How many, and whether that was all. `node` may be nil where its books are gone.
local function unassign_all(id, node)
  local count = 0
  while true do
    local tasks = call('ZREVRANGE', assigned_key(id), 0, LOOK - 1)
    if #tasks == 0 then return count, true end
    for _, task in ipairs(tasks) do
      if work_left <= 0 then return count, false end
      unassign(task, id, node)
      count = count + 1
    end
  end
end

-- Take back what a lost node ran: how many, and whether that was all.
local function return_running(id, on_lost)
  local count = 0
  while true do
    local tasks = call('HRANDFIELD', running_key(id), LOOK)
    if #tasks == 0 then return count, true end
    for _, task in ipairs(tasks) do
      if work_left <= 0 then return count, false end
      spend(TASK_WORK)
      call('HDEL', running_key(id), task)
      local v = call('HMGET', task_key(task), 'raw', 'direct', 'cancel')
      if v[1] and v[3] then
        end_task(facts_of(task, v[1]), 'cancelled', v[3], { node = id })
      elseif v[1] then
        return_task(task, v[1], v[2] == '1' and on_lost ~= 'pending' and id or '')
      end
      count = count + 1
    end
  end
end

-- Make pending what is in a node's own queue past the scheduler: how many, and whether that was all.
local function requeue_direct(id)
  local count = 0
  while work_left > 0 do
    local raw = call('LPOP', list_key(id))
    if not raw then return count, true end
    spend(TASK_WORK)
    local task, seq = fields_of(raw).task_id, stamped_seq(raw)
    if type(task) == 'string' and call('HDEL', index_key(id), task) == 1 then
      return_task(task, raw, '')
    elseif seq then
      -- A person put it here: what it is comes out when its turn comes.
      put_back(list_key(''), raw, seq)
    else
      call('RPUSH', list_key(''), raw)
    end
    count = count + 1
  end
  return count, false
end

-- A node is gone: what it held goes back to its old place; what was put into its queue past the
-- scheduler stays there, or becomes pending where the scheduler was told so (--on-lost). Returns
-- {running returned, assigned returned, is_finished}.
local function remove_node(id)
  local on_lost = call('HGET', CONFIG, 'on_lost')
  -- From here on no heartbeat of its worker counts and nothing is placed here, also where the move takes
  -- several calls.
  call('HSET', node_key(id), 'incarnation', LOST)
  call('SADD', DIRTY, id)
  local running, is_over = return_running(id, on_lost)
  if not is_over then return { running, 0, 0 } end
  call('DEL', cancel_key(id))
  local assigned
  assigned, is_over = unassign_all(id, nil)
  if is_over and on_lost == 'pending' then is_over = select(2, requeue_direct(id)) end
  if not is_over then return { running, assigned, 0 } end
  local v = call('HMGET', node_key(id), 'slots', 'tasks', 'slots_key')
  if v[1] then purge_tokens(P .. v[3], id, (tonumber(v[1]) or 0) - (tonumber(v[2]) or 0)) end
  call('DEL', node_key(id), P .. 'cap:' .. id, P .. 'cap_total:' .. id,
    P .. 'run_count:' .. id, P .. 'phys:' .. id, P .. 'ratio:' .. id)
  call('PEXPIRE', accepted_key(id), ACCEPTED_TTL_MS)
  call('ZREM', NODES, id)
  call('SADD', DIRTY, id)
  wake_scheduler()
  return { running, assigned, 1 }
end
