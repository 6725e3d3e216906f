"""The Lua script that decides on Redis and Valkey, after `limits`' acquire_sliding_window.lua."""

from hashlib import sha1

SPEND = """
-- Times are in milliseconds. A counter lives for two windows: its own, then as the previous one.
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2]) * 1000

local current, previous = 0, 0
local current_left = redis.call('PTTL', KEYS[2])
if current_left > 0 and current_left < window then
    redis.call('RENAME', KEYS[2], KEYS[1])
    current_left = current_left + window
    redis.call('SET', KEYS[2], 0, 'PX', current_left)
elseif current_left > 0 then
    current = tonumber(redis.call('GET', KEYS[2])) or 0
end
local previous_left = redis.call('PTTL', KEYS[1])
if previous_left > 0 then
    previous = tonumber(redis.call('GET', KEYS[1])) or 0
else
    previous_left = 0
end

local allowed = 0
if math.floor(previous * previous_left / window) + current < limit then
    allowed = 1
    current = current + 1
    if current_left > 0 then
        redis.call('INCR', KEYS[2])
    else
        current_left = window * 2
        redis.call('SET', KEYS[2], 1, 'PX', current_left)
    end
end
-- One string: redis-py takes as long for each element of an array as for all of this.
return string.format('%d %d %d %d %d', allowed, previous, previous_left, current, current_left)
"""
# The name of a script for EVALSHA; it protects nothing.
SPEND_SHA1 = sha1(SPEND.encode(), usedforsecurity=False).hexdigest()
