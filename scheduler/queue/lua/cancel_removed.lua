-- Record tasks whose list a person deleted as cancelled, a portion at a time.
-- KEYS[1] prefix
-- ARGV[1] token of the active scheduler
-- Returns how many were recorded; 0 when nothing is left

if not leads(ARGV[1]) then return 0 end
ensure_list(list_key(''))
settle_removed('')
local name, from = string.match(call('LINDEX', P .. 'tk:removed', 0) or '', '^(%S+) (.*)$')
if not name then return 0 end
-- What a person moved from a node's queue to the pending queue is at its head.
local moved = {}
if from ~= 'q:pending' then
  for _, raw in ipairs(call('LRANGE', list_key(''), 0, MOVED_MAX - 1)) do
    spend(10)
    local id = string.match(raw, '"task_id":"([^"\\]+)"')
    if id then moved[id] = true end
  end
end
local entries = call('HRANDFIELD', P .. name, 2 * LOOK, 'WITHVALUES')
local count = 0
for i = 1, #entries, 2 do
  if work_left <= 0 and count > 0 then break end
  spend(TASK_WORK)
  count = count + 1
  local id, entry = entries[i], entries[i + 1]
  call('HDEL', P .. name, id)
  local state = call('HGET', task_key(id), 'state')
  if moved[id] then
    call('HSET', index_key(''), id, entry)
  elseif not state or state == 'pending' then
    end_task(facts_of_entry(id, entry), 'cancelled', 'removed from ' .. from, {})
  end
end
if call('EXISTS', P .. name) == 0 then call('LPOP', P .. 'tk:removed') end
return count
