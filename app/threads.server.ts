// Signatures are checked by threads of libuv's, of which it starts four when the first is needed, unless this variable says otherwise by then. With more
// threads than processors each check is interrupted by the others and interrupts the door. Imported before anything else.
import os from 'node:os'

process.env.UV_THREADPOOL_SIZE ??= String(Math.min(4, Math.max(2, os.availableParallelism())))
