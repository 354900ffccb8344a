/** The simulated disk: the contract, what a power loss takes, and run-time faults. */
import t from 'tap'
import { testDiskContract } from '../broker/world/disk.contract.ts'
import { Generation } from './generation.ts'
import { Scheduler } from './scheduler.ts'
import { SimDisk } from './sim-disk.ts'
import { SimDiskDoor } from './sim-disk-door.ts'

t.test('the simulated disk keeps the contract of disks', async t => {
  await testDiskContract(t, async () => {
    const scheduler = new Scheduler({ seed: 1 })
    const disk = new SimDisk({ scheduler, name: 'a' })
    disk.platter.makeDirectory('/data')
    return {
      disk: new SimDiskDoor(disk, new Generation('a', 1)),
      directory: '/data',
      drive: body => scheduler.drive(body),
    }
  })
})
