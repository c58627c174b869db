-- A worker takes its node's name under a lease, with empty books.
-- KEYS[1] prefix
-- ARGV[1] node
-- ARGV[2] incarnation
-- ARGV[3] capacity, units
-- ARGV[4] slots, 0 for capacity only
-- ARGV[5] slots_key, without the prefix
-- ARGV[6] phys, logical cores
-- ARGV[7] ratio
-- ARGV[8] lease_ms
-- ARGV[9] margin_ms after a lease before its node counts as lost
-- ARGV[10] clear, 1 to cancel what is in its queue
-- ARGV[11] server, run_id of the Redis that has heard of all that this worker runs; '' for none
-- Returns {'registered', 0} or {'leased', ms to wait}: another worker may still run tasks there

local id, incarnation = ARGV[1], ARGV[2]
local now = now_ms()
local holder, lease_end = unpack(call('HMGET', node_key(id), 'incarnation', 'lease_end'))
if holder and holder ~= incarnation then
  local deadline = (tonumber(lease_end) or 0) + tonumber(ARGV[9])
  if holder ~= LOST and deadline > now then return { 'leased', math.ceil(deadline - now) } end
  -- What was assigned to the life before is in the queue that is to be cleared: not to be given to others.
  if ARGV[10] == '1' then call('UNLINK', list_key(id)) end
  if remove_node(id)[3] == 0 then return { 'leased', 1 } end
end
local used, tasks, expected = 0, 0, 0
local old = load_node(id)
if old then
  -- The same worker once more: its books stay, and so do its tasks.
  used, tasks = old.used, old.tasks
  if old.slots > 0 then expected = old.slots - tasks end
end
purge_tokens(P .. ARGV[5], id, expected)
local node = {
  id = id, capacity = tonumber(ARGV[3]), slots = tonumber(ARGV[4]), used = used, tasks = tasks,
  hold = 0, slots_key = P .. ARGV[5],
}
-- Redis looks through a small hash from its beginning: first what every placement reads.
local draining = (old and old.draining or call('SISMEMBER', DRAINED, id) == 1) and '1' or '0'
call('HSET', node_key(id), 'used', used, 'tasks', tasks, 'hold', 0, 'incarnation', incarnation,
  'lease_end', ms(now + tonumber(ARGV[8])), 'capacity', ARGV[3], 'slots', ARGV[4],
  'slots_key', ARGV[5], 'draining', draining, 'phys', ARGV[6], 'ratio', ARGV[7],
  'server', ARGV[11] == '' and '' or ARGV[11] .. ' ' .. witness('', '', incarnation),
  'ts_registered', ms(now))
call('SET', P .. 'cap_total:' .. id, ARGV[3])
call('SET', P .. 'phys:' .. id, ARGV[6])
call('SET', P .. 'ratio:' .. id, ARGV[7])
save_node(node)
add_tokens(node, node.slots - node.tasks)
lease(id, now + tonumber(ARGV[8]))
if ARGV[10] == '1' then
  call('UNLINK', list_key(id))
  settle_removed(id)
end
call('SADD', DIRTY, id)
wake_scheduler()
return { 'registered', 0 }
