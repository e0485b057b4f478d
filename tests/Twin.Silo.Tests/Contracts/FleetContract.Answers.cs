using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Tests.Contracts;

// Cases, responses and their ledger: whatever hosts the twins, and whenever it dies, they are the same.
public abstract partial class FleetContract
{
    /// <summary>Compute partitions beside one.</summary>
    protected virtual int Many => 8;

    /// <summary>The engine ends without a word; another goes on where the journal ends.</summary>
    protected abstract Task<IFleet> Killed(IFleet fleet, string path, ITwinFactory factory, int partitions);

    private async Task RequireSame(AnsweredRun run, IFleet fleet)
    {
        run.Expected.RequireSame(await Answered.Of(fleet));
        var replay = new LedgerReplay();
        foreach (var entry in fleet.Ledger.Entries(0, 10_000)) Assert.Null(replay.Problem(entry));
        Output.WriteLine($"{run.Count} appends, {fleet.Ledger.End.Number} entries, {replay.Decided} decisions");
        Assert.True(replay.Decided > 20);
    }

    [Fact]
    public async Task What_is_compared_has_responses_of_every_fate()
    {
        var run = await AnsweredRun.Recorded();
        foreach (var g in run.Responses.GroupBy(r => (r.Rung, r.State, r.Reason)))
            Output.WriteLine($"{g.Count()} times {g.Key.Rung} {g.Key.State}, approved by "
                + $"{g.Max(r => r.Approvals.Length)} of {g.Max(r => r.Needed)}: {g.Key.Reason}");
        var states = run.Responses.Select(r => r.State).ToHashSet();
        foreach (var fate in (ResponseState[])[ResponseState.Done, ResponseState.Undone, ResponseState.Expired,
            ResponseState.Rejected, ResponseState.Cancelled, ResponseState.Quarantined])
            Assert.Contains(fate, states);
        Assert.Contains(run.Responses, r => r is { Rung: ResponseRung.Disconnect, Approvals.Length: >= 2 });
        Assert.Contains(run.Expected.Entries, e => e.Contains(" Order ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_inputs_give_the_same_cases_responses_and_ledger()
    {
        var run = await AnsweredRun.Recorded();
        foreach (var partitions in (int[])[1, Many])
        {
            await using var fleet = Open(Directory.Sub($"p{partitions}"), new TwinFactory(), partitions);
            await run.Play(fleet, 0, run.Count);
            await RequireSame(run, fleet);
        }
    }

    [Fact]
    public async Task Killed_half_way_it_goes_on_to_the_same_end_of_the_ledger()
    {
        var run = await AnsweredRun.Recorded();
        var path = Directory.Sub("killed");
        var fleet = Open(path, new TwinFactory(), Many);
        var reached = 0;
        foreach (var kill in (int[])[run.Count / 3, run.Count / 2, run.Count * 3 / 4])
        {
            await run.Play(fleet, reached, reached = kill);
            fleet = await Killed(fleet, path, new TwinFactory(), Many);
        }
        await using var last = fleet;
        await run.Play(last, reached, run.Count);
        await RequireSame(run, last);
    }
}
