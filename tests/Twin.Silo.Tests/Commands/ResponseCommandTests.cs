using System.Text.Json;
using Twin.Hardware;
using Twin.Silo.Tests.Answers;
using static Twin.Silo.Tests.Answers.AnsweredDirectory;

namespace Twin.Silo.Tests.Commands;

/// <summary>Who says yes and no to responses by the command line.</summary>
public sealed class ResponseCommandTests : IAsyncLifetime
{
    private AnsweredDirectory _directory = null!;

    public async Task InitializeAsync() => _directory = await Copy();

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private string[] With(params string[] args) => ["response", .. args, "--data", _directory.Path];

    private static string At(int minutes) => new UnixTime(End + 60 * minutes).ToString();

    private Task<string> Act(string by, params string[] args) =>
        InProcess.Well(With([.. args, "--by", by, "--at", At(1)]));

    private Task<string> Refused(string by, params string[] args) =>
        InProcess.Wrong(With([.. args, "--by", by, "--at", At(2)]));

    private async Task<JsonElement[]> All() => [.. (await InProcess.Json(With("list", "--all"))).EnumerateArray()];

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    private async Task<string> StateOf(string id) => Text((await All()).Single(r => Text(r, "id") == id), "state");

    private async Task Sweep(int minutes)
    {
        await using var fleet = AnswerScene.Open(_directory.Path);
        await AnswerScene.Sweep(fleet, End + 60 * minutes);
    }

    [Fact]
    public async Task What_waits_is_listed_and_what_is_over_on_demand()
    {
        var list = await InProcess.Well(With("list"));
        Assert.Contains($"{Response(1, 3)}  disconnect             proposed    MT-1, 0 of 2 approvals", list);
        Assert.Contains($"{Held}  disconnect             quarantined MT-2", list);
        Assert.DoesNotContain("notify", list);
        Assert.Contains("notify", await InProcess.Well(With("list", "--all")));
        Assert.Equal("billing", Text((await All()).Single(r => Text(r, "id") == Held), "requested_by"));
    }

    [Fact]
    public async Task Two_persons_approve_and_the_same_twice_is_not_two()
    {
        Assert.Contains("journalled as input", await Act("Ben", "approve", Response(1, 3)));
        Assert.Contains("journalled already, nothing changes", await Act("Ben", "approve", Response(1, 3)));
        Assert.Contains("Ben approved it already; another person is needed",
            await Refused("Ben", "approve", Response(1, 3)));
        Assert.Contains("approved it already", await Refused("  BEN ", "approve", Response(1, 3)));
        await Sweep(2);
        Assert.Equal("proposed", await StateOf(Response(1, 3)));
        await Act("Cem", "approve", Response(1, 3));
        await Sweep(3);
        Assert.Equal("authorised", await StateOf(Response(1, 3)));
        Assert.Contains("response 3 is authorised", await Refused("Dan", "approve", Response(1, 3)));
        await Act("Dan", "cancel", Response(1, 3), "--why", "the fire is out");
        Assert.Equal("cancelled", await StateOf(Response(1, 3)));
        Assert.Contains("response 3 is cancelled", await Refused("Dan", "undo", Response(1, 3)));
    }

    [Fact]
    public async Task A_dry_run_tells_the_load_and_changes_nothing()
    {
        var before = (await All()).Length;
        string[] dry = ["propose", Case(2), "limit_load", "--dry-run"];
        var said = await Act("Ada", dry);
        Assert.StartsWith("Dry run: nothing was changed.", said);
        Assert.Contains("limit_load on MT-2 would move", said);
        Assert.Contains("it needs 2 persons, assumed to approve at once", said);
        Assert.Contains("it would go out at ", said);
        Assert.Contains("budget of fleet within an hour then: 1 of 1000 commands", said);
        Assert.Equal(before, (await All()).Length);
        Assert.Contains("'fly' is no rung", await Refused("Ada", "propose", Case(2), "fly", "--dry-run"));
        Assert.Contains("There is no case", await Refused("Ada", "propose", "00000000000000aa", "limit_load",
            "--dry-run"));
    }

    [Fact]
    public async Task Who_proposes_does_not_approve()
    {
        Assert.Contains("'fly' is no rung. Write one of log, ", await Refused("Ada", "propose", Case(2), "fly"));
        Assert.Contains("a response that does nothing is none", await Refused("Ada", "propose", Case(2), "log"));
        await Act("Ada", "propose", Case(2), "limit_load", "--why", "it is hot");
        Assert.Contains("who asks for a response cannot approve it", await Refused("Ada", "approve", Response(2, 2)));
        await Act("Ben", "approve", Response(2, 2));
        await Act("Cem", "reject", Response(2, 2), "--why", "not hot enough");
        Assert.Equal("rejected", await StateOf(Response(2, 2)));
        Assert.Contains("response 2 is rejected", await Refused("Cem", "reject", Response(2, 2)));
    }

    [Fact]
    public async Task What_is_held_is_processed_by_others_than_who_asked_or_deleted()
    {
        Assert.Contains("who asks for a response cannot approve it", await Refused("billing", "process", Held));
        Assert.Contains("response 1 is quarantined", await Refused("Ben", "approve", Held));
        await Act("Ben", "process", Held);
        Assert.Contains("approved it already", await Refused("Ben", "process", Held));
        Assert.Equal("quarantined", await StateOf(Held));
        await Act("Cem", "process", Held);
        Assert.Equal("proposed", await StateOf(Held));
        Assert.Contains("response 1 is proposed", await Refused("Dan", "process", Held));
    }

    [Fact]
    public async Task What_is_held_may_be_deleted()
    {
        await Act("Ben", "delete", Held, "--why", "nobody ordered it");
        Assert.Equal("cancelled", await StateOf(Held));
        Assert.Contains("response 1 is cancelled", await Refused("Ben", "delete", Held));
    }

    [Fact]
    public async Task What_was_done_is_taken_back_but_not_what_harms_nobody()
    {
        Assert.Contains("response 1 is executing; undo it instead", await Refused("Ben", "cancel", Response(2, 1)));
        await Act("Ben", "undo", Response(2, 1), "--why", "the certificate was ours");
        Assert.Equal("undone", await StateOf(Response(2, 1)));
        var order = (await InProcess.Json("ledger", "list", "--case", Case(2), "--data", _directory.Path))
            .EnumerateArray().Last(e => Text(e, "kind") == "order");
        Assert.StartsWith("Response undoing block writes on MT-2", Text(order, "text"));
        Assert.Contains("cannot be taken back", await Refused("Ben", "undo", Response(1, 2)));
    }

    [Fact]
    public async Task An_id_that_is_none_or_nobodys_is_named()
    {
        Assert.Contains("'seven' is no id of a response", await Refused("Ada", "approve", "seven"));
        Assert.Contains("is no id of a response", await Refused("Ada", "approve", Case(1)[..16]));
        Assert.Contains("it has no response 99", await Refused("Ada", "approve", Response(1, 99)));
        Assert.Contains("there is no such case", await Refused("Ada", "approve", "00000000000000aa-1"));
        Assert.Contains("There is no case 00000000000000aa",
            await Refused("Ada", "propose", "00000000000000aa", "block_writes"));
    }
}
