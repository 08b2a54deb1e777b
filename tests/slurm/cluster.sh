#!/usr/bin/env bash
# A real Slurm on this machine, for tests: munged and slurmctld, and two slurmd that are nodes n1 and n2, on loopback.
#   cluster.sh start FOLDER          a new, empty one; the folder will hold all of it
#   cluster.sh stop FOLDER           ends all that runs in it, also what is left of a crash
#   cluster.sh power_cut FOLDER      the same, and starts it again with the queue that was saved
#   cluster.sh kill_node FOLDER n2   ends a node with everything on it; `start_node` brings it back
# Then: . FOLDER/environment. Exit code 77, with the reason: Slurm cannot run here.
#
# Each node, and the controller, is a PID namespace: one SIGKILL to its first process ends all that it ever started.
# Without a host name of their own Open MPI would take both nodes for one and talk through shared memory; without a TmpFS
# of their own PMIx would find its folder taken. No cgroups, no systemd, no accounts.
set -euo pipefail
cpus=8 memory=8000 nodes=(n1 n2) lifetime=1800
PATH=$PATH:/usr/sbin:/sbin

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "error: $*" >&2; exit 1; }

check_machine() {
  local tool
  [ "$(id -u)" -eq 0 ] || skip "a test Slurm must be started by root"
  for tool in munged slurmctld slurmd sbatch unshare; do
    command -v $tool >/dev/null || skip "$tool is missing (packages slurm-wlm, munge, util-linux)"
  done
  unshare --pid --fork --kill-child --uts --mount --mount-proc hostname n1 2>/dev/null || skip "this machine allows no namespaces"
  [ ${#folder} -lt 80 ] || skip "the path of $folder is too long for a socket"
}

# The first block of free ports that is long enough.
first_port() {
  local used port=17400 offset
  used=" $(awk '$4 == "0A" {sub(/.*:/, "", $2); print $2}' /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r hex; do echo -n "$((16#$hex)) "; done)"
  while :; do
    for offset in 0 1 2; do
      case $used in *" $((port + offset)) "*) port=$((port + 10)); continue 2 ;; esac
    done
    echo "$port"
    return
  done
}

write_settings() {
  local port node number=0
  port=$(first_port)
  # cred_expire is also how long a requeued job waits before it may start again: two minutes if left alone.
  cat >"$folder/slurm.conf" <<TEXT
ClusterName=test
SlurmctldHost=control(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$folder/run/munge.socket,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
TmpFS=$folder/tmp/%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=pmix
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=100000,sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=5
MessageTimeout=5
KillWait=5
MinJobAge=3600
TEXT
  for node in "${nodes[@]}"; do
    number=$((number + 1))
    echo "NodeName=$node NodeHostname=$node NodeAddr=127.0.0.1 Port=$((port + number)) CPUs=$cpus RealMemory=$memory Gres=gpu:4"
  done >>"$folder/slurm.conf"
  echo "PartitionName=test Nodes=ALL Default=YES" >>"$folder/slurm.conf"
  # GPUs that are files: enough to ask for some.
  touch "$folder"/gpu{0..3}
  echo "Name=gpu File=$folder/gpu[0-3]" >"$folder/gres.conf"
  echo "127.0.0.1 localhost control ${nodes[*]}" >"$folder/hosts"
  echo "export SLURM_CONF='$folder/slurm.conf'" >"$folder/environment"
  (umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
}

# begin NAME: a machine of that name, whose first process runs `cluster.sh be FOLDER NAME`; it ends with its lifetime.
begin() {
  rm -rf "${folder:?}"/{spool,tmp}/"$1" # sockets of an earlier life
  mkdir -p "$folder"/{spool,tmp}/"$1"
  chmod 1777 "$folder/tmp/$1"
  SLURM_CONF=$folder/slurm.conf setsid timeout --signal=KILL $lifetime unshare --pid --fork --kill-child --uts --mount --mount-proc \
    "$self" be "$folder" "$1" >>"$folder/log/$1.out" 2>&1 </dev/null &
  echo $! >"$folder/run/$1.machine"
}

# The first process of a machine.
be() {
  hostname "$name"
  mount --bind "$folder/hosts" /etc/hosts
  if [ "$name" = control ]; then
    munged --force --foreground --num-threads=2 --key-file="$folder/munge.key" --socket="$folder/run/munge.socket" \
      --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/run/munged.seed" &
    slurmctld -D &
  else
    slurmd -D -N "$name" &
  fi
  wait
}

# Has a process ended? One that nobody waits for still has a number, but no command line.
is_over() { [ -z "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]; }

# Ends a machine at once, and waits until it is gone; what it recorded may be stale.
end() {
  local timer unshare first tries
  timer=$(cat "$folder/run/$1.machine" 2>/dev/null) || return 0
  rm -f "$folder/run/$1.machine"
  tr '\0' ' ' 2>/dev/null <"/proc/$timer/cmdline" | grep -qF -- "be $folder $1" || return 0
  unshare=$(pgrep -P "$timer") || return 0
  first=$(pgrep -P "$unshare") || first=$unshare
  kill -KILL "$unshare" # and by --kill-child the first process of the machine
  for tries in $(seq 100); do
    if is_over "$first"; then return 0; fi
    sleep 0.05
  done
  fail "machine $1 (process $first) does not end: $tries tries"
}

end_all() {
  local machine
  for machine in "${nodes[@]}" control; do end "$machine"; done
}

begin_all() {
  local machine
  for machine in control "${nodes[@]}"; do begin "$machine"; done
}

# wait_for_nodes STATES NODE..: until sinfo gives each node one of the states.
wait_for_nodes() {
  local states=$1 node tries
  shift
  for node; do
    for tries in $(seq 200); do
      [[ $(sinfo -h -n "$node" -o %t 2>/dev/null) =~ ^($states)$ ]] && continue 2
      sleep 0.1
    done
    tail -n 5 "$folder"/log/*.log "$folder"/log/*.out >&2
    fail "node $node is not up after $tries tries"
  done
}

self=$(realpath "$0")
command=${1:-} folder=${2:-} name=${3:-}
[ -n "$folder" ] || fail "usage: $0 start|stop|power_cut|kill_node|start_node FOLDER [NODE]"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
export SLURM_CONF=$folder/slurm.conf
case $command in
  be) be ;;
  start)
    check_machine
    end_all
    rm -rf "${folder:?}"/*
    mkdir -p "$folder"/{run,log,state,spool,tmp}
    chmod 755 "$folder" "$folder/run"
    write_settings
    begin_all
    wait_for_nodes 'idle' "${nodes[@]}"
    echo "Slurm with nodes ${nodes[*]} of $cpus CPUs each is up in $folder"
    ;;
  stop) end_all ;;
  power_cut)
    end_all
    begin_all
    wait_for_nodes 'idle|mix|alloc|comp' "${nodes[@]}"
    ;;
  kill_node) end "$name" ;;
  start_node)
    begin "$name"
    wait_for_nodes 'idle|mix|alloc|comp' "$name"
    ;;
  *) fail "unknown command $command" ;;
esac
