import ChaosSimulation
import Testing
