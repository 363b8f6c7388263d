-- What the scripts share: files of fixed-width records, numbers that differ between threads, and a
-- last line for the harness. wrk runs each thread's script in a Lua state of its own.
local counter = 0

function setup(thread)
    thread:set("thread_number", counter)
    counter = counter + 1
end

function seed(number)
    math.randomseed(os.time() * 31 + number * 7919 + 17)
    for _ = 1, 10 do math.random() end
end

-- A file whose lines are padded with blanks to one width: any line without reading the others.
function records(path)
    local f = assert(io.open(path, "rb"))
    local text = f:read("*a")
    f:close()
    local width = assert(text:find("\n", 1, true), path .. " is empty")
    local n = math.floor(#text / width)
    return function(i)
        i = i or math.random(0, n - 1)
        return (text:sub(i * width + 1, i * width + width - 1):match("^(.-) *$"))
    end, n
end

function get(path)
    return "GET " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
end

function post(path, body)
    return "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: return=minimal\r\n" ..
        "Content-Type: application/fhir+json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format(
        "BENCH %d %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
        e.status, e.connect + e.read + e.write, e.timeout, latency:percentile(50),
        latency:percentile(99)))
end
