using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Tests.Crash;
using Twin.Silo.Tests.Ledger;

namespace Twin.Silo.Tests.Policies;

/// <summary>The verbs of <c>metertwin policy</c> as a user meets them.</summary>
public sealed class PolicyCommandTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static (int Exit, string Output, string Errors) Say(params string[] args) =>
        Metertwin.Run([], ["policy", .. args]);

    private string Written(string text)
    {
        var path = _directory.Sub("mine.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    private static int LineOf(string text, string what) =>
        text[..text.IndexOf(what, StringComparison.Ordinal)].Count(c => c == '\n') + 1;

    [Fact]
    public void The_policy_that_ships_holds_and_keeps_its_examples()
    {
        var (exit, text, _) = Say("default");
        Assert.Equal((0, PolicyReader.DefaultText), (exit, text));
        var file = Written(text);
        (exit, var output, _) = Say("check", file);
        Assert.Equal(0, exit);
        Assert.StartsWith($"✓ policy default version 1 ({PolicyReader.DigestOf(text)[..12]})", output);
        (exit, output, _) = Say("test", file);
        Assert.Equal(0, exit);
        var n = PolicyReader.Default.Examples.Length;
        Assert.Equal(n, output.Split('\n').Count(l => l.StartsWith("✓ ", StringComparison.Ordinal)));
        Assert.EndsWith($"{n} of {n} examples hold\n", output);
    }

    [Fact]
    public void Every_mistake_is_named_with_its_line_and_what_is_allowed()
    {
        var text = PolicyReader.DefaultText.Replace("kind: event_flood", "kind: event_flod", StringComparison.Ordinal)
            .Replace("approvals: 2, effect: 0.95", "approvals: 1, effect: 0.95", StringComparison.Ordinal);
        var file = Written(text);
        var (exit, output, _) = Say("check", file);
        Assert.Equal(2, exit);
        var lines = output.Trim().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains(lines, l => l.StartsWith($"✗ {file}:{LineOf(text, "event_flod")}:", StringComparison.Ordinal)
            && l.Contains("'event_flod'; allowed: missing_readings,", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith($"✗ {file}:{LineOf(text, "approvals: 1")}:", StringComparison.Ordinal)
            && l.Contains("at least 2 approvals", StringComparison.Ordinal));
        foreach (var verb in (string[][])[["test", file], ["activate", file, "--data", _directory.Sub("none")],
            ["whatif", file, "--data", _directory.Sub("none")]])
        {
            (exit, _, var errors) = Say(verb);
            Assert.Equal(2, exit);
            Assert.Contains("does not hold; 2 to mend", errors);
        }
        (exit, _, var missing) = Say("check", _directory.Sub("no.yaml"));
        Assert.Equal(2, exit);
        Assert.Contains("no.yaml", missing);
    }

    [Fact]
    public async Task An_example_that_fails_is_shown_and_keeps_the_policy_out_of_force()
    {
        var file = Written(PolicyReader.DefaultText.Replace("expect: {rung: notify}", "expect: {rung: disconnect}",
            StringComparison.Ordinal));
        var (exit, output, _) = Say("test", file);
        Assert.Equal(1, exit);
        Assert.Contains("✗ consumption alone asks for a look", output);
        Assert.Contains("    expected disconnect, got notify: ", output);
        var data = _directory.Sub("data");
        await using (AnsweredFleet.Open(data)) { }
        (exit, _, var errors) = Say("activate", file, "--data", data, "--by", "Eva");
        Assert.Equal(2, exit);
        Assert.Contains("fails its own example 'consumption alone asks for a look'", errors);
        Assert.Contains("which ships", Say("show", "--data", data).Output);
    }

    [Fact]
    public void A_document_without_examples_is_said_so()
    {
        var (exit, output, _) = Say("test", Written(SomePolicies.LogOnly));
        Assert.Equal((0, "log only has no examples: write what it must do under 'examples'.\n"), (exit, output));
    }

    [Fact]
    public async Task What_is_activated_is_in_force_and_in_the_ledger()
    {
        var (data, file) = (_directory.Sub("data"), Written(SomePolicies.Tight));
        await using (var fleet = AnsweredFleet.Open(data)) await AnsweredFleet.Live(fleet);
        var (exit, output, errors) = Say("activate", file, "--data", data, "--by", "Eva", "--at",
            "2024-10-08T09:00:00Z");
        Assert.True(exit == 0, errors);
        Assert.StartsWith("✓ ", output);
        (_, output, _) = Say("show", "--data", data);
        Assert.StartsWith($"policy tight version 1 ({PolicyReader.DigestOf(SomePolicies.Tight)[..12]}), in force since "
            + "2024-10-08T09:00:00Z by Eva", output);
        Assert.Equal(SomePolicies.Tight, Say("show", "--text", "--data", data).Output);
        await using (var fleet = AnsweredFleet.Open(data))
        {
            var last = fleet.Ledger.Entries(fleet.Ledger.End.Number - 1, 1)[0].Entry;
            Assert.Equal(LedgerKind.Act, last.Kind);
            Assert.Equal(SomePolicies.Tight, Assert.IsType<PolicyActivation>(Input.Read(last.Body)).Text);
        }
        (exit, _, errors) = Say("activate", file, "--data", data, "--by", "Eva", "--at", "yesterday");
        Assert.Equal(2, exit);
        Assert.Contains("'yesterday' is no time", errors);
    }

    [Fact]
    public async Task A_decision_is_explained_with_approvals_and_what_comes_next()
    {
        var data = _directory.Sub("data");
        string id;
        await using (var fleet = AnsweredFleet.Open(data))
        {
            await AnsweredFleet.Found(fleet, 1);
            await AnsweredFleet.Do(fleet, AnsweredFleet.Ask(0, 0, ResponseRung.Disconnect) with { Order = "" });
            await AnsweredFleet.Sweep(fleet, 60);
            await AnsweredFleet.Sweep(fleet, 120);
            var held = Assert.Single(await AnsweredFleet.Responses(fleet), r => r.Rung == ResponseRung.Disconnect);
            Assert.Equal(ResponseState.Quarantined, held.State);
            await AnsweredFleet.Do(fleet, new ResponseAct(held.Case, new UnixTime(AnsweredFleet.Morning + 130),
                AnsweredFleet.Bert, ResponseActKind.Process, held.Number, default, "seen"));
            id = $"{held.Case.Id:x16}";
        }
        var (exit, output, errors) = Say("explain", id, "--data", data);
        Assert.True(exit == 0, errors);
        foreach (var part in (string[])["by policy default (", "ledger entry ", "harm in minutes without supply",
            "What came of it:", "approved by Bert at 2024-10-07T09:02:10Z",
            "disconnect is held until people process or delete it."])
            Assert.Contains(part, output, StringComparison.Ordinal);
        var json = Metertwin.Json("policy", "explain", id, "--data", data).GetProperty("decision");
        Assert.Equal(PolicyReader.Default.Digest, json.GetProperty("policy_digest").GetString());
        Assert.Equal(1, json.GetProperty("next").GetArrayLength());
        (exit, _, errors) = Say("explain", "0000000000000001", "--data", data);
        Assert.Equal(2, exit);
        Assert.Contains("There is no case 0000000000000001", errors);
        (exit, _, errors) = Say("explain", "case-7", "--data", data);
        Assert.Equal(2, exit);
        Assert.Contains("'case-7' is no id of a case", errors);
    }

    [Fact]
    public async Task What_if_says_its_assumption_and_waits_for_nobody()
    {
        var (data, file) = (_directory.Sub("data"), Written(SomePolicies.Tight));
        await using (var fleet = new AnsweringFleet(AnsweredFleet.Open(data)))
        {
            await AnsweredFleet.Live(fleet);
            var (locked, _, why) = Say("whatif", file, "--data", data);
            Assert.Equal(2, locked);
            Assert.Contains("Another process holds the data directory", why);
        }
        var (exit, output, errors) = Say("whatif", file, "--data", data);
        Assert.True(exit == 0, errors);
        Assert.Contains("Assumed: an order that the record does not have is done at once", output);
        Assert.Matches(@"disconnect ordered +3 +1 +-2\n", output);
        var rows = Metertwin.Json("policy", "whatif", file, "--data", data).GetProperty("figures").EnumerateArray()
            .ToDictionary(r => r.GetProperty("what").GetString()!, r => r.GetProperty("this_policy").GetDouble());
        Assert.Equal(1, rows["customers off or limited"]);
        Assert.Contains("No case comes out otherwise.", Say("whatif", Written(PolicyReader.DefaultText), "--data", data)
            .Output);
        foreach (var (args, said) in ((string[], string)[])[(["--since", "noon"], "'noon' is no time"),
            (["--data", _directory.Sub("none")], "is no MeterTwin data directory")])
        {
            (exit, _, errors) = Say(["whatif", file, .. args.Contains("--data") ? [] : (string[])["--data", data],
                .. args]);
            Assert.Equal(2, exit);
            Assert.Contains(said, errors);
        }
    }
}
