import Foundation

/// What this machine has for scenarios that need more than processes.
enum Needs {
    static let faketime = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""].map {
        "/usr/lib/\($0)faketime/libfaketimeMT.so.1"
    }.first { FileManager.default.fileExists(atPath: $0) }

    /// - Returns: what is missing, as a sentence; `nil` when the scenario can be run.
    static func missing(for scenario: Scenario) -> String? {
        if scenario.needs.contains(.root), getuid() != 0 { return "needs root" }
        if scenario.needs.contains(.iptables), let reason = Firewall.reasonAgainst() {
            return "\(reason) (Debian: apt-get install iptables)"
        }
        if scenario.needs.contains(.faketime), faketime == nil {
            return "there is no libfaketime (Debian: apt-get install libfaketime)"
        }
        return nil
    }
}
