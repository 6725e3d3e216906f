"""What happens in Redis at once, as Lua scripts.

A channel has three keys. `events` is a stream whose ids are positions: the first part is the epoch,
the time at which the stream began in milliseconds, and the second the offset. So ids rise from one
epoch to the next. `values` is a hash of the latest values, and `changes` a stream of their changes.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1


@dataclass(frozen=True)
class Script:
    """A Lua script that Redis knows by its hash."""

    text: str

    @cached_property
    def sha1(self) -> str:
        """The name of the script for EVALSHA; it protects nothing."""
        return sha1(self.text.encode(), usedforsecurity=False).hexdigest()


PUBLISH = Script("""
-- KEYS: events. ARGV: capacity, milliseconds to live, event, payloads.
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local epoch, offset
if newest then
    epoch, offset = string.match(newest[1], '(%d+)-(%d+)')
else
    local now = redis.call('TIME')
    epoch, offset = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)), 0
end
local id = epoch .. '-' .. string.format('%.0f', offset + 1)
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], id, 'e', ARGV[3], 'p', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return id
""")
"""Adds a durable event, with the next offset, and returns its id."""

RENEW = Script("""
-- KEYS: events. ARGV: the id of the newest event that is not to be continued.
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest and newest[1] == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
""")
"""Ends an epoch, unless somebody has continued it meanwhile."""

SET_VALUE = Script("""
-- KEYS: values, changes. ARGV: key, version, event, payloads, milliseconds to live, most keys.
local current = redis.call('HGET', KEYS[1], ARGV[1])
if current then
    if tonumber(string.match(current, '^-?%d+')) >= tonumber(ARGV[2]) then return 0 end
elseif redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
    redis.call('HDEL', KEYS[1], redis.call('HRANDFIELD', KEYS[1]))
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '\\n' .. ARGV[3] .. '\\n' .. ARGV[4])
redis.call('XADD', KEYS[2], 'MAXLEN', 200, '*', 'k', ARGV[1], 'v', ARGV[2], 'e', ARGV[3],
    'p', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
""")
"""Sets the latest value of a key, unless it has this version or a later one."""

CLEAR_VALUE = Script("""
-- KEYS: values, changes. ARGV: key, milliseconds to live.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', 200, '*', 'k', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
""")
"""Forgets a key."""

READ = Script("""
-- KEYS: events, values, changes. ARGV: the id to begin after or '', capacity, milliseconds to live.
-- A channel with followers must not expire, or its next event would begin a new epoch.
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local change = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local events
if ARGV[1] == '' then
    events = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[2])
else
    events = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
end
local values = redis.call('HGETALL', KEYS[2])
return {newest and newest[1] or '', events, values, change and change[1] or '0-0'}
""")
"""Returns the newest id; the newest events, newest first, or those after an id, oldest first; the
latest values; and the id of their last change."""

CLAIM = Script("""
-- KEYS: claim. ARGV: process, milliseconds.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")
"""Returns whether a process holds a claim, which it takes or keeps."""
