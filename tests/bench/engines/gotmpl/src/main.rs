//! One shape through gotmpl, for tests/bench/templates: TEMPLATE DATA print|execute|whole [MS].

use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use std::{env, fs};

use gotmpl::{MissingKey, Template, Value, to_value};

/// The system's allocator, counted. One thread, so that a load and a store do and cost next to nothing.
struct Counted;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

fn count(size: usize) {
    ALLOCATIONS.store(ALLOCATIONS.load(Relaxed) + 1, Relaxed);
    ALLOCATED.store(ALLOCATED.load(Relaxed) + size as u64, Relaxed);
}

unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        unsafe { System.dealloc(p, layout) }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

type Done = Result<(), Box<dyn Error>>;

fn parse(source: &str) -> Result<Template, Box<dyn Error>> {
    Ok(Template::new("").missing_key(MissingKey::ZeroValue).parse(source)?)
}

fn execute(template: &Template, data: &Value, out: &mut String) -> Done {
    out.clear();
    Ok(template.execute_fmt(out, data)?)
}

fn peak_kib() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("VmHWM: 0");
    line.split_whitespace().nth(1).unwrap_or("0").to_string()
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;

/// Nanoseconds that this process has been on a processor.
fn cpu_ns() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

/// Batches that double until one takes all of the processor time.
fn measure(mut once: impl FnMut() -> Done, ms: u64) -> Done {
    let mut runs: u64 = 1;
    loop {
        let (counted, bytes) = (ALLOCATIONS.load(Relaxed), ALLOCATED.load(Relaxed));
        let (begin, cpu_begin) = (Instant::now(), cpu_ns());
        for _ in 0..runs {
            once()?;
        }
        let (took, cpu) = (begin.elapsed(), cpu_ns() - cpu_begin);
        if cpu >= ms * 1_000_000 {
            let per = |n: u64| n as f64 / runs as f64;
            println!(
                "{{\"ns\": {:.1}, \"cpu_ns\": {:.1}, \"runs\": {}, \"allocations\": {:.2}, \"bytes\": {:.1}, \"peak_kib\": {}}}",
                per(took.as_nanos() as u64),
                per(cpu),
                runs,
                per(ALLOCATIONS.load(Relaxed) - counted),
                per(ALLOCATED.load(Relaxed) - bytes),
                peak_kib()
            );
            return Ok(());
        }
        runs *= 2;
    }
}

fn main() -> Done {
    let args: Vec<String> = env::args().collect();
    let source = fs::read_to_string(&args[1])?;
    let data = to_value(&serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&args[2])?)?)?;
    let template = parse(&source)?;
    let mut out = String::new();
    match args[3].as_str() {
        "print" => {
            execute(&template, &data, &mut out)?;
            print!("{out}");
            Ok(())
        }
        "whole" => measure(|| execute(&parse(&source)?, &data, &mut out), args[4].parse()?),
        _ => measure(|| execute(&template, &data, &mut out), args[4].parse()?),
    }
}
