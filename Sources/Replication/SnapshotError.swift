/// Why a snapshot is of no use here. It is skipped for the one before; without any, the log is read from its beginning.
package enum SnapshotError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Writing it did not come to its end.
    case torn(length: Int, expected: Int)
    case corrupt(reason: String)
    /// A newer version of this program wrote it.
    case newerFormat(found: UInt32, known: UInt32)
    /// The engines give other states for the same records now.
    case engineVersionMismatch(found: UInt32, expected: UInt32)
    /// It belongs to a topic that was since made anew.
    case wrongLineage(found: UInt64?, expected: UInt64?)
    /// The store could not give it.
    case unreadable(LogError)

    package var description: String {
        switch self {
        case .torn(let length, let expected):
            "the snapshot is torn: \(length) of \(expected) bytes; it is skipped for the one before"
        case .corrupt(let reason):
            "the snapshot is corrupt: \(reason); it is skipped for the one before"
        case .newerFormat(let found, let known):
            "the snapshot has format \(found), this program knows \(known); it is skipped, run the newer program to use it"
        case .engineVersionMismatch(let found, let expected):
            "the snapshot is of engine version \(found), not \(expected); it is skipped and the records are folded anew"
        case .wrongLineage(let found, let expected):
            "the snapshot is of lineage \(hex(found)), the log of \(hex(expected)): the topic was made anew;"
                + " it is skipped"
        case .unreadable(let error): "the snapshot cannot be read: \(error); it is skipped for the one before"
        }
    }
}

private func hex(_ lineage: UInt64?) -> String { lineage.map { String($0, radix: 16) } ?? "none" }
