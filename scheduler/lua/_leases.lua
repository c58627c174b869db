-- Prelude: what belongs to a node's lease.

-- True when `token` is the active scheduler.
local function leads(token) return redis.call('GET', P .. 'tk:leader') == token end

-- Portion of a long node queue that one call moves: about 10 us each.
local MOVE_MAX = 100

-- A node is gone: what it held goes back to its old place; what was put into its queue past the
-- scheduler stays there, or becomes pending where the scheduler was told so (--on-lost). Returns
-- {running returned, assigned returned, is_finished}.
local function remove_node(id)
  local running, assigned = 0, 0
  local on_lost = redis.call('HGET', CONFIG, 'on_lost')
  -- From here on no heartbeat of its worker counts, also where the move takes several calls.
  redis.call('HSET', node_key(id), 'incarnation', 'lost')
  for _, task in ipairs(redis.call('HKEYS', running_key(id))) do
    local v = redis.call('HMGET', task_key(task), 'raw', 'direct', 'cancel')
    if v[1] and v[3] then
      end_task(facts_of(task, v[1]), 'cancelled', v[3], { node = id })
    elseif v[1] then
      return_task(task, v[1], v[2] == '1' and on_lost ~= 'pending' and id or '')
    end
    running = running + 1
  end
  redis.call('DEL', running_key(id), cancel_key(id))
  for _, task in ipairs(redis.call('ZRANGE', assigned_key(id), 0, -1)) do
    unassign(task, id, nil)
    assigned = assigned + 1
  end
  if on_lost == 'pending' then
    for _ = 1, MOVE_MAX do
      local raw = redis.call('LPOP', list_key(id))
      if not raw then break end
      local task = fields_of(raw).task_id
      if type(task) == 'string' then
        redis.call('HDEL', index_key(id), task)
        return_task(task, raw, '')
      else
        -- Never taken in: it has no place yet, and comes last.
        redis.call('RPUSH', list_key(''), raw)
      end
    end
    if redis.call('EXISTS', list_key(id)) == 1 then return { running, assigned, 0 } end
  end
  local v = redis.call('HMGET', node_key(id), 'slots', 'tasks', 'slots_key')
  if v[1] then purge_tokens(P .. v[3], id, tonumber(v[1]) - tonumber(v[2])) end
  redis.call('DEL', node_key(id), P .. 'cap:' .. id, P .. 'cap_total:' .. id,
    P .. 'run_count:' .. id, P .. 'phys:' .. id, P .. 'ratio:' .. id)
  redis.call('ZREM', NODES, id)
  redis.call('SADD', DIRTY, id)
  wake_scheduler()
  return { running, assigned, 1 }
end
