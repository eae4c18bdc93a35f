-- The ledger in Redis 6.2 or later. docs/ledger-protocol.md describes the operations.
--
-- Send each batch as it is, and pass the reply on as it is:
--
--     EVALSHA sha1 1 pbk:{SCOPE} batch retention_ms
--
-- All operations of a batch have the scope of the key; a "%" in it is written as %25, a "}" as %7D.
-- The script derives all other keys from this one. The braces keep them in one slot of a cluster.
--
--     pbk:{SCOPE}           version of the schema
--     pbk:{SCOPE}:row:KEY   a hash: one row
--     pbk:{SCOPE}:open      sorted set: open rows by lease_until
--     pbk:{SCOPE}:pending   sorted set: rows that are open or unheard, by recorded_at
--     pbk:{SCOPE}:unheard   sorted set: rows that ended unheard, by the time at which they expire
local VERSION = '1'
local base = KEYS[1]
local retention = tonumber(ARGV[2])
local open, pending, unheard = base .. ':open', base .. ':pending', base .. ':unheard'

local installed = redis.call('GET', base)
if not installed then
    redis.call('SET', base, VERSION)
elseif installed ~= VERSION then
    return redis.error_reply('LEDGERVERSION ' .. base .. ' has schema version ' .. installed ..
        ', this program knows ' .. VERSION .. ': update the program')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local TEXT = {'state', 'fingerprint', 'claim', 'owner', 'bot_id', 'start_at', 'conversation', 'account_id', 'body',
    'reply', 'outcome'}
local NUMBER = {'lease_until', 'recorded_at', 'duration_minutes', 'start_ms', 'updated_at'}
local FLAG = {'withdrawn', 'heard', 'took_over'}
local TYPES = {lease_ms = 'number', limit = 'number', not_before_ms = 'number', claims = 'table',
    key = 'string', id = 'string', replaces = 'string', orphan = 'boolean'}
for _, name in ipairs(TEXT) do TYPES[name] = 'string' end
for _, name in ipairs(NUMBER) do TYPES[name] = 'number' end
for _, name in ipairs(FLAG) do TYPES[name] = 'boolean' end

local BOOKING = {'fingerprint', 'recorded_at', 'bot_id', 'start_at', 'duration_minutes', 'start_ms', 'conversation'}
local REQUIRED = {
    claim = {'key', 'claim', 'owner', 'lease_ms', 'fingerprint', 'recorded_at', 'body'},
    wait = {'key'},
    settle = {'key', 'claim', 'owner', 'fingerprint', 'recorded_at', 'reply'},
    void = {'key', 'claim', 'owner', 'fingerprint', 'recorded_at', 'outcome'},
    withdraw = {'key', 'claim', 'withdrawn'},
    give_up = {'key', 'owner', 'claim'},
    heard = {'key', 'claim'},
    renew = {'owner', 'lease_ms', 'claims'},
    orphans = {'limit', 'not_before_ms'},
    pending = {'limit'},
}

-- The whole number as text: Lua writes large ones with an exponent.
local function whole(number)
    return string.format('%.0f', number)
end

-- Checks an operation before it changes anything, and removes its nulls.
local function check(op)
    local required = REQUIRED[op.op]
    if not required then error({message = 'unknown operation'}) end
    for name, value in pairs(op) do
        if value == cjson.null then
            op[name] = nil
        elseif TYPES[name] and TYPES[name] ~= type(value) then
            error({message = op.op .. ': ' .. name .. ' is a ' .. type(value)})
        end
    end
    if not op.id then error({message = op.op .. ': a member is missing'}) end
    for _, name in ipairs(required) do
        if op[name] == nil then error({message = op.op .. ': a member is missing'}) end
    end
    if op.limit and (op.limit < 1 or op.limit > 10000) then
        error({message = op.op .. ': limit is not between 1 and 10000'})
    end
    for _, each in ipairs(op.claims or {}) do
        if type(each) ~= 'table' or type(each.key) ~= 'string' or type(each.claim) ~= 'string' then
            error({message = op.op .. ': a member is missing'})
        end
    end
end

local function read(key)
    local flat = redis.call('HGETALL', base .. ':row:' .. key)
    if #flat == 0 then return nil end
    local row = {}
    for i = 1, #flat, 2 do row[flat[i]] = flat[i + 1] end
    for _, name in ipairs(NUMBER) do row[name] = tonumber(row[name]) end
    for _, name in ipairs(FLAG) do row[name] = row[name] == '1' end
    return row
end

local function remove(key)
    redis.call('DEL', base .. ':row:' .. key)
    redis.call('ZREM', open, key)
    redis.call('ZREM', pending, key)
    redis.call('ZREM', unheard, key)
end

-- Writes a row. That of an open one is the first write: a server without memory refuses the first
-- write of a script, and an operation has changed nothing then. The end of a booking is written
-- even so.
local function write(key, row)
    row.updated_at = now
    local flat = {}
    local function add(name, value)
        flat[#flat + 1] = name
        flat[#flat + 1] = value
    end
    for _, name in ipairs(TEXT) do if row[name] then add(name, row[name]) end end
    for _, name in ipairs(NUMBER) do if row[name] then add(name, whole(row[name])) end end
    for _, name in ipairs(FLAG) do add(name, row[name] and '1' or '0') end
    if row.state ~= 'open' then remove(key) end
    redis.call('HSET', base .. ':row:' .. key, unpack(flat))
    if row.state == 'open' then
        redis.call('ZADD', open, whole(row.lease_until), key)
        redis.call('ZADD', pending, whole(row.recorded_at), key)
        redis.call('ZREM', unheard, key)
    else
        redis.call('PEXPIRE', base .. ':row:' .. key, whole(retention))
        if not row.heard then
            redis.call('ZADD', pending, whole(row.recorded_at), key)
            redis.call('ZADD', unheard, whole(now + retention), key)
        end
    end
end

-- A row as results have it.
local function json(key, row)
    local members = {'"key":' .. cjson.encode(key)}
    local function add(name, text)
        members[#members + 1] = '"' .. name .. '":' .. text
    end
    for _, name in ipairs(TEXT) do if row[name] then add(name, cjson.encode(row[name])) end end
    for _, name in ipairs(NUMBER) do if row[name] then add(name, whole(row[name])) end end
    for _, name in ipairs(FLAG) do add(name, tostring(row[name])) end
    if row.state == 'open' then add('lease_ms', whole(row.lease_until - now)) end
    return '{' .. table.concat(members, ',') .. '}'
end

-- The row that an operation makes where there is none.
local function fresh(op, state)
    local row = {state = state, claim = op.claim, owner = op.owner, withdrawn = false, heard = false, took_over = false}
    for _, name in ipairs(BOOKING) do row[name] = op[name] end
    return row
end

local DO = {}

function DO.claim(op, row)
    if row and row.claim == op.claim then
        if row.state == 'refused' then return 'lost' end
        local before = json(op.key, row)
        if row.state == 'booked' then return 'booked', before end
        row.lease_until = now + op.lease_ms
        write(op.key, row)
        if row.took_over then return 'in_doubt', before end
        return 'claimed'
    elseif op.orphan and (not row or row.state == 'refused') then
        return 'lost'
    elseif not row or row.state == 'refused' and row.claim == op.replaces then
        if row then remove(op.key) end
        row = fresh(op, 'open')
        row.lease_until, row.account_id, row.body = now + op.lease_ms, op.account_id, op.body
        write(op.key, row)
        return 'claimed'
    end
    local before = json(op.key, row)
    if row.state == 'refused' then
        return 'refused', before
    elseif row.fingerprint ~= op.fingerprint then
        return 'other', before
    elseif row.state == 'booked' then
        return 'booked', before
    elseif op.orphan == true and row.withdrawn then
        return 'lost'
    elseif row.lease_until > now and row.owner ~= op.owner or row.claim ~= op.replaces then
        return 'held', before
    end
    row.claim, row.owner, row.lease_until = op.claim, op.owner, now + op.lease_ms
    row.withdrawn, row.took_over = false, true
    write(op.key, row)
    return 'in_doubt', before
end

function DO.wait(op, row)
    if not row then return 'absent' end
    return row.state, json(op.key, row)
end

function DO.settle(op, row)
    if row and row.fingerprint ~= op.fingerprint then return 'other' end
    if row and row.state == 'booked' then return 'done' end
    row = row or fresh(op, 'booked')
    row.state, row.reply, row.claim, row.body, row.outcome, row.heard = 'booked', op.reply, op.claim, nil, nil, false
    write(op.key, row)
    return 'done'
end

function DO.void(op, row)
    if not row then
        row = fresh(op, 'refused')
        row.outcome, row.heard = op.outcome, true
        write(op.key, row)
    elseif row.claim ~= op.claim or row.state == 'booked' then
        return 'lost'
    elseif row.state == 'open' then
        row.state, row.outcome, row.body, row.heard = 'refused', op.outcome, nil, false
        write(op.key, row)
    end
    return 'done'
end

function DO.withdraw(op, row)
    if not row or row.state ~= 'open' or row.claim ~= op.claim then return 'lost' end
    row.withdrawn = op.withdrawn
    write(op.key, row)
    return 'done'
end

function DO.give_up(op, row)
    if not row then return 'absent' end
    local before = json(op.key, row)
    if row.state == 'refused' and row.outcome == 'given_up' and row.claim == op.claim then return 'given_up', before end
    if row.state ~= 'open' then return 'kept', before end
    if row.claim ~= op.claim or row.lease_until > now and row.owner ~= op.owner then return 'held', before end
    row.state, row.outcome, row.body, row.heard = 'refused', 'given_up', nil, true
    write(op.key, row)
    return 'given_up', before
end

function DO.heard(op, row)
    if not row or row.state == 'open' or row.claim ~= op.claim then return 'lost' end
    if not row.heard then
        row.heard = true
        write(op.key, row)
    end
    return 'done'
end

function DO.renew(op)
    local lost = {}
    for _, each in ipairs(op.claims) do
        local name = base .. ':row:' .. each.key
        local found = redis.call('HMGET', name, 'state', 'claim', 'owner')
        if found[1] == 'open' and found[2] == each.claim and found[3] == op.owner then
            redis.call('HSET', name, 'lease_until', whole(now + op.lease_ms))
            redis.call('ZADD', open, whole(now + op.lease_ms), each.key)
        else
            lost[#lost + 1] = cjson.encode(each.key)
        end
    end
    return 'renewed', nil, '"lost":[' .. table.concat(lost, ',') .. ']'
end

-- Reads the rows of a sorted set in its order until there are enough.
local function rows(set, last, limit, fits)
    local found, start = {}, 0
    repeat
        local keys = redis.call('ZRANGEBYSCORE', set, '-inf', last, 'LIMIT', start, 100)
        start = start + #keys
        for _, key in ipairs(keys) do
            local row = read(key)
            if #found < limit and row and fits(row) then found[#found + 1] = json(key, row) end
        end
    until #keys == 0 or #found >= limit
    return 'rows', nil, '"rows":[' .. table.concat(found, ',') .. ']'
end

function DO.orphans(op)
    return rows(open, whole(now), op.limit, function(row)
        return not row.withdrawn and (not row.start_ms or row.start_ms > op.not_before_ms)
    end)
end

function DO.pending(op)
    return rows(pending, '+inf', op.limit, function(row)
        return not op.bot_id or row.bot_id == op.bot_id
    end)
end

local function execute(op)
    check(op)
    return DO[op.op](op, op.key and read(op.key))
end

-- Rows that have expired leave the sorted sets, a few with each batch.
for _, key in ipairs(redis.call('ZRANGEBYSCORE', unheard, '-inf', whole(now), 'LIMIT', 0, 64)) do
    redis.call('ZREM', pending, key)
    redis.call('ZREM', unheard, key)
end

local batch = cjson.decode(ARGV[1])
if (batch.protocol or 1) ~= 1 then
    return redis.error_reply('LEDGERPROTOCOL the batch has protocol ' .. tostring(batch.protocol) .. ', not 1')
end
local results = {}
for i, op in ipairs(batch.operations) do
    local members = {'"id":' .. cjson.encode(op.id)}
    local succeeded, result, row, more = pcall(execute, op)
    if succeeded then
        members[2] = '"result":"' .. result .. '"'
        if row then members[#members + 1] = '"row":' .. row end
        members[#members + 1] = more
    else
        local message = type(result) == 'table' and (result.message or result.err) or tostring(result)
        members[2] = '"result":"failed","message":' .. cjson.encode(message)
    end
    results[i] = '{' .. table.concat(members, ',') .. '}'
end
return '{"results":[' .. table.concat(results, ',') .. ']}'
