import Glibc
import Replication
import Storage
import Telemetry

/// `log-torture append DIRECTORY`: appends numbered records until it is killed and prints what was acknowledged.
/// `log-torture measure DIRECTORY`: prints how fast the log is on this disk.

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("usage: log-torture append|measure DIRECTORY")
    exit(2)
}
do {
    switch arguments[1] {
    case "append": try appendForEver(directory: arguments[2])
    case "measure": try measure(directory: arguments[2])
    default: exit(2)
    }
} catch {
    say("failed: \(error)\n")
    exit(1)
}
