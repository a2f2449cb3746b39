import ChaosSimulation
import Glibc

// Until `slipstream-chaos simulate` has it.
let clock = ContinuousClock()
let isFine = SimulateCommand(CommandLine.arguments.dropFirst()).run(
    print: { print($0) },
    elapsed: { body in
        let elapsed = clock.measure(body)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    })
exit(isFine ? 0 : 1)
