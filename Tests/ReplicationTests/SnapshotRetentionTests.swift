import Replication
import Testing

@Suite struct SnapshotRetentionTests {
    /// Saves at these offsets, one after the other, and forgets each time what need not be kept.
    private func stored(after offsets: some Sequence<Int64>) -> [Offset] {
        offsets.reduce(into: []) { stored, offset in
            stored = SnapshotRetention.kept(of: [Offset(offset)] + stored.filter { $0.value != offset })
        }
    }

    @Test(arguments: [1, 7, 1_000, 100_000] as [Int64], [1, 2, 5, 40, 333, 5_000] as [Int64])
    func `whatever is behind has a snapshot not much further behind`(spacing: Int64, count: Int64) {
        let stored = stored(after: (1...count).map { $0 * spacing })
        let newest = count * spacing
        #expect(stored.prefix(3).map(\.value) == [newest, newest - spacing, newest - 2 * spacing].filter { $0 > 0 })
        let doublings = Int64.bitWidth - newest.leadingZeroBitCount
        #expect(stored.count <= SnapshotRetention.newest + 4 * doublings)
        for behind in stride(from: spacing, to: newest - spacing, by: max(1, Int(newest / 500))) {
            let next = stored.first { $0.value <= newest - behind }
            #expect(next.map { newest - $0.value <= 2 * behind + spacing } ?? false, "\(behind) of \(newest) behind")
        }
    }

    @Test func `what was saved first stays`() {
        #expect(stored(after: (1...10_000).map { $0 * 10 }).last == Offset(10))
    }

    @Test func `those of a log that was there before go`() {
        let before = (1...100).map { Int64($0) * 1_000 }
        #expect(stored(after: before + [5, 9]).map(\.value) == [9, 5, 100_000])
        #expect(stored(after: before + [5, 9, 12, 20]).map(\.value) == [20, 12, 9, 5])
    }
}
