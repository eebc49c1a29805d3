using System.Collections.Generic;
using HpAsyncPs.Programs.Rendezvous;
using Xunit;

namespace HpAsyncPs.Tests.Rendezvous;

/// <summary>Which process of how many: what launchers set, and what they must not.</summary>
public sealed class PlacementTests
{
    private const string Batch = "SLURM_JOB_ID=17 SLURM_PROCID=0 SLURM_NTASKS=5 SLURM_LOCALID=0 SLURM_NODEID=0 SLURM_JOB_NODELIST=n[0-1]";
    private const string Srun = "SLURM_JOB_ID=17 SLURM_STEP_ID=3 SLURM_PROCID=2 SLURM_NTASKS=5 SLURM_STEP_NUM_TASKS=5 SLURM_LOCALID=0 SLURM_STEP_NODELIST=n[0-1],m01 SLURM_JOB_NODELIST=n[0-3],m01";
    private const string OpenMpi = "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 OMPI_UNIVERSE_SIZE=2 PMIX_RANK=1 PMIX_NAMESPACE=1360986113";
    private const string Hydra = "PMI_RANK=3 PMI_SIZE=4 PMI_FD=7 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2";

    [Theory]
    [InlineData(Srun, "Slurm", 2, 5, 0, "17.3", "n0 n1 m01")]
    [InlineData(OpenMpi, "Open MPI", 1, 2, 1, "1360986113", "")]
    [InlineData(Hydra, "PMI", 3, 4, 1, null, "")]
    // mpirun and Hydra start their helpers by srun: the variables of Slurm are the helpers'
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=3 " + OpenMpi, "Open MPI", 1, 2, 1, "1360986113", "")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=2 " + Hydra, "PMI", 3, 4, 1, null, "")]
    [InlineData(Batch + " " + OpenMpi, "Open MPI", 1, 2, 1, "1360986113", "")]
    [InlineData(Srun + " PMI_RANK=2 PMI_SIZE=5 PMI_JOBID=17.3", "PMI", 2, 5, null, "17.3", "")]
    [InlineData(Srun + " PMIX_RANK=2 PMIX_NAMESPACE=slurm.pmix.17.3", "PMIx", 2, 5, 0, "slurm.pmix.17.3", "n0 n1 m01")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=1", "Slurm", 0, 1, null, "17.0", "")]
    public void Environment_says_who_this_is(string environment, string launcher, int rank, int size, int? local, string? launch, string hosts)
    {
        Placement? place = Placement.Of(Recorded.Variables(environment));
        Assert.NotNull(place);
        Assert.Equal((launcher, rank, size, local, launch), (place.Launcher, place.Rank, place.Size, place.LocalRank, place.Launch));
        Assert.Equal(hosts, string.Join(' ', place.Hosts));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HOME=/root SLURM_CONF=/etc/slurm.conf")]
    [InlineData("OMPI_COMM_WORLD_RANK= OMPI_COMM_WORLD_SIZE=")] // empty is as if not set
    [InlineData(Batch)] // the script itself is not one of the five
    [InlineData(Batch + " SLURM_STEP_ID=4294967291")]
    [InlineData("SLURM_JOB_ID=17 SLURM_NTASKS=5")] // a shell of salloc
    public void Nobody_has_started_it_with_others(string environment) => Assert.Null(Placement.Of(Recorded.Variables(environment)));

    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE")]
    [InlineData("OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK")]
    [InlineData("OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=2", "is no rank of")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=0", "is no rank of")]
    [InlineData("OMPI_COMM_WORLD_RANK=-1 OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=-1 is no number")]
    [InlineData("OMPI_COMM_WORLD_RANK=1x OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=1x is no number")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=99999999999", "is no number")]
    [InlineData("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=2", "local rank 2")]
    [InlineData(OpenMpi + " PMI_RANK=0 PMI_SIZE=2", "OMPI_COMM_WORLD_RANK=1 and PMI_RANK=0 contradict")]
    [InlineData(OpenMpi + " PMI_RANK=1 PMI_SIZE=3", "OMPI_COMM_WORLD_SIZE=2 and PMI_SIZE=3 contradict")]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 PMIX_RANK=0", "OMPI_COMM_WORLD_RANK=1 and PMIX_RANK=0 contradict")]
    [InlineData("PMI_RANK=1", "PMI_SIZE")]
    [InlineData("PMI_SIZE=1", "PMI_RANK")]
    [InlineData("PMI_RANK=1 PMI_SIZE=2 PMIX_RANK=0", "contradict")]
    [InlineData("PMIX_RANK=1 PMIX_NAMESPACE=a", "SLURM_NTASKS")] // of how many, nobody says
    [InlineData(Srun + " PMIX_RANK=3", "PMIX_RANK=3 and SLURM_PROCID=2 contradict")]
    [InlineData("SLURM_PROCID=0 SLURM_NTASKS=2", "SLURM_JOB_ID")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=0", "SLURM_NTASKS")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=2", "contradict")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=4 SLURM_NTASKS=4", "is no rank of")]
    [InlineData("SLURM_JOB_ID=17 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NODELIST=n[0-", "is no list of hosts")]
    public void What_is_incomplete_or_contradicts_itself_is_refused(string environment, string words) =>
        Assert.Contains(words, Assert.Throws<InputException>(() => Placement.Of(Recorded.Variables(environment))).Message);

    [Theory]
    [InlineData(null, "", null, 0)]
    [InlineData("mine", Srun + " SLURM_RESTART_COUNT=2", "mine", 2)]
    [InlineData(null, Srun + " SLURM_RESTART_COUNT=1", "slurm-17", 1)]
    [InlineData(null, Batch + " SLURM_CLUSTER_NAME=lab", "slurm-lab-17", 0)] // a server of the batch script, workers of srun: one job
    [InlineData(null, OpenMpi, "mpi-1360986113", 0)]
    [InlineData(null, Batch + " " + OpenMpi, "slurm-17", 0)]
    [InlineData(null, Hydra, null, 0)]
    public void Job_has_the_name_that_its_launcher_gives_it(string? given, string environment, string? name, int restarts) =>
        Assert.Equal(new JobIdentity(name, restarts), JobIdentity.Of(given, Recorded.Variables(environment)));

    [Fact]
    public void Hosts_are_told_in_few_words() => Assert.Equal("rank 2 of 5 by Slurm, on n0, n1, m01", Placement.Of(Recorded.Variables(Srun))!.ToString());

    /// <summary>Environments as they were seen.</summary>
    internal static class Recorded
    {
        public static LaunchVariables Variables(string environment)
        {
            var all = new Dictionary<string, string>();
            foreach (string one in environment.Split(' ', System.StringSplitOptions.RemoveEmptyEntries))
                all[one[..one.IndexOf('=')]] = one[(one.IndexOf('=') + 1)..];
            return new LaunchVariables(name => all.GetValueOrDefault(name));
        }
    }
}
