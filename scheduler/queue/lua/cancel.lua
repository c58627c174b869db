-- Cancel a task wherever it is.
-- KEYS[1] prefix
-- ARGV[1] task_id
-- ARGV[2] raw, as it is in a queue without being assigned, '' when it does not
-- ARGV[3] reason
-- ARGV[4] node whose queue that is, '' for the pending queue
-- Returns 'cancelled', 'stopping' (it runs and its worker was told), 'moved' (a person moved it to the
--   pending queue: call again with raw), or 'unknown'

local id, raw, reason = ARGV[1], ARGV[2], ARGV[3]
if raw ~= '' and call('LREM', list_key(ARGV[4]), 1, raw) > 0 then
  call('HDEL', index_key(ARGV[4]), id)
  end_task(facts_of(id, raw), 'cancelled', reason, {})
  return 'cancelled'
end
local v = call('HMGET', task_key(id), 'state', 'node')
if v[1] == 'assigned' then
  local node = load_node(v[2])
  local became = unassign(id, v[2], node, { cancel = reason })
  if node then save_node(node) end
  return became
end
if v[1] ~= 'running' then return 'unknown' end
call('HSET', task_key(id), 'cancel', reason)
call('SADD', cancel_key(v[2]), id)
wake_node(v[2])
return 'stopping'
