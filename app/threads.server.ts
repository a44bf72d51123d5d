// Node checks signatures in libuv's threads. libuv reads from UV_THREADPOOL_SIZE how many to start, once, when the first is needed; its default is
// four. More threads than processors would only interrupt one another and the door. So this module is imported before anything else.
import os from 'node:os'

process.env.UV_THREADPOOL_SIZE ??= String(Math.min(4, Math.max(2, os.availableParallelism())))
