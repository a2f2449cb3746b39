import Foundation
import LocalCluster

/// Loses packets on loopback, in chains of our own, by the sender's user id and the receiver's address.
///
/// Addresses alone would not do: a connection that a node opens has 127.0.0.1 for a source. And a packet must be lost on
/// its way, not refused to its sender, who would be told: it is marked where it leaves and dropped where it arrives.
struct Firewall {
    static let mark = "0x51c4"
    private let chain: String
    private let tool: String

    init(_ chain: String) throws {
        guard let tool = Tool.path(of: "iptables") else { throw ChaosError("there is no iptables") }
        self.chain = chain
        self.tool = tool
        for command in [
            ["-N", chain], ["-A", "OUTPUT", "-o", "lo", "-j", chain],
            ["-N", "\(chain)-in"], ["-A", "\(chain)-in", "-m", "mark", "--mark", Firewall.mark, "-j", "DROP"],
            ["-A", "INPUT", "-i", "lo", "-j", "\(chain)-in"],
        ] { try run(command) }
    }

    enum Match {
        /// All packets to this address.
        case address(String)
        case ports([Int])
        /// So many per cent of all packets.
        case share(percent: Int)
    }

    /// Loses what this user sends and `match` describes.
    func lose(from user: Int, _ match: Match) throws {
        let words =
            switch match {
            case .address(let address): ["-d", address]
            case .ports(let ports):
                ["-p", "tcp", "-m", "multiport", "--dports", ports.map(String.init).joined(separator: ",")]
            case .share(let percent):
                ["-m", "statistic", "--mode", "random", "--probability", "\(Double(percent) / 100)"]
            }
        let owner = ["-m", "owner", "--uid-owner", "\(user)"]
        try run(["-A", chain] + owner + words + ["-j", "MARK", "--set-mark", Firewall.mark])
    }

    func heal() throws { try run(["-F", chain]) }

    private func run(_ words: [String]) throws { try Tool.run(tool, ["-w"] + words) }

    /// Whether rules can be made here.
    static func reasonAgainst() -> String? {
        guard let tool = Tool.path(of: "iptables") else { return "there is no iptables" }
        do {
            try Tool.run(tool, ["-w", "-n", "-L", "OUTPUT"])
            return nil
        } catch { return "iptables does not work here: \(error)" }
    }

    /// - Returns: what is in the way.
    static func remove(_ chain: String) -> [String] {
        guard let tool = Tool.path(of: "iptables") else { return [] }
        var problems: [String] = []
        for (hook, name) in [("OUTPUT", chain), ("INPUT", "\(chain)-in")] {
            guard (try? Tool.run(tool, ["-w", "-n", "-L", name])) != nil else { continue }
            let way = hook == "OUTPUT" ? ["-o", "lo"] : ["-i", "lo"]
            // The hook may be missing where the run was killed half-way.
            _ = try? Tool.run(tool, ["-w", "-D", hook] + way + ["-j", name])
            do {
                try Tool.run(tool, ["-w", "-F", name])
                try Tool.run(tool, ["-w", "-X", name])
            } catch { problems.append("\(error)") }
        }
        return problems
    }
}
