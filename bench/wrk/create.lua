-- POST of resources drawn from an NDJSON file whose lines begin with "TYPE<tab>".  -- PREFIX FILE
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local requests, n = {}, 0

function init(args)
    seed(thread_number)
    for line in io.lines(args[2]) do
        local type, body = line:match("^(%a+)\t(.*)$")
        n = n + 1
        requests[n] = post(args[1] .. type, body)
    end
end

function request()
    return requests[math.random(1, n)]
end
