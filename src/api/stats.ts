// Resource use of a container, one record per sample (GET /containers/{id}/stats).

export interface CpuUsage {
  /** Nanoseconds, as the others here. */
  readonly total_usage: number;
  /** Per processor, on cgroup v1 only. */
  readonly percpu_usage?: readonly number[];
  readonly usage_in_kernelmode: number;
  readonly usage_in_usermode: number;
}

export interface CpuStats {
  readonly cpu_usage: CpuUsage;
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

export interface MemoryStats {
  readonly usage?: number;
  readonly max_usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  readonly limit?: number;
}

export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

export interface BlkioStats {
  readonly io_service_bytes_recursive: readonly BlkioEntry[] | null;
  readonly io_serviced_recursive: readonly BlkioEntry[] | null;
  readonly io_queue_recursive: readonly BlkioEntry[] | null;
  readonly io_service_time_recursive: readonly BlkioEntry[] | null;
  readonly io_wait_time_recursive: readonly BlkioEntry[] | null;
  readonly io_merged_recursive: readonly BlkioEntry[] | null;
  readonly io_time_recursive: readonly BlkioEntry[] | null;
  readonly sectors_recursive: readonly BlkioEntry[] | null;
}

export interface InterfaceStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface ContainerStats {
  readonly read: string;
  readonly preread: string;
  readonly name: string;
  readonly id: string;
  readonly os_type?: string;
  readonly num_procs: number;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  readonly blkio_stats: BlkioStats;
  readonly storage_stats: object;
  readonly networks?: Readonly<Record<string, InterfaceStats>>;
}
