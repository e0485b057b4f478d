using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Tests.Policies;

/// <summary>Policies as text: what holds, and what is said of what does not.</summary>
public class PolicyReaderTests
{
    private static readonly string[] Lines = PolicyReader.DefaultText.Split('\n');

    private static (PolicyDocument? Read, IReadOnlyList<PolicyError> Errors) With(string line, string instead)
    {
        var at = Array.FindIndex(Lines, l => l.Contains(line, StringComparison.Ordinal));
        Assert.True(at >= 0, $"the default policy has no line with '{line}'");
        string[] changed = [.. Lines];
        changed[at] = changed[at].Replace(line, instead, StringComparison.Ordinal);
        var read = PolicyReader.Read(string.Join('\n', changed), out var errors);
        return (read, [.. errors.Select(e => e with { Line = e.Line - at - 1 })]);
    }

    [Fact]
    public void The_policy_that_ships_holds()
    {
        var policy = PolicyReader.Read(PolicyReader.DefaultText, out var errors);
        Assert.Empty(errors);
        Assert.Equal("default", policy!.Name);
        Assert.Equal(PolicyReader.DigestOf(PolicyReader.DefaultText), policy.Digest);
    }

    private const string Marks = "{}[]:,-#'\"&*!%@ \n\t0aZ~";

    public static TheoryData<string> Examples => [.. PolicyReader.Default.Examples.Select(e => e.Name)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Its_own_examples_hold(string name)
    {
        var example = Array.Find(PolicyReader.Default.Examples, e => e.Name == name)!;
        Assert.Equal([], PolicyTest.Failures(PolicyReader.Default, example));
    }

    [Theory]
    [InlineData("kind: simultaneous_switching", "kind: switching_all", "knows no 'switching_all'; allowed: ")]
    [InlineData("likelihood: 1", "likelihood: 2", "'likelihood' must be a number from 0 to 1, not '2'")]
    [InlineData("wait: 0s", "wait: soon", "'wait' must be a span like 90s, 15m, 6h or 7d, not 'soon'")]
    [InlineData("wait: 0s", "weight: 0s", "a rule knows no 'weight'; allowed: ")]
    [InlineData("ladder: [notify, disconnect]", "ladder: [disconnect, notify]", "must go from milder to harsher")]
    [InlineData("ladder: [notify, disconnect]", "ladder: [notify, reconnect]", "does not end in reconnect")]
    [InlineData("disconnect: {enforcer: metrology_core, approvals: 2", "disconnect: {enforcer: metrology_core, "
        + "approvals: 1", "needs at least 2 approvals")]
    [InlineData("cost: 15, expires: 7d", "cost: 15", "needs 'expires'")]
    [InlineData("zone: UTC", "zone: Mars", "'Mars' is no zone")]
    [InlineData("commands: [10, 40, 200]", "commands: [10, 4, 200]", "three numbers")]
    [InlineData("critical: 60", "critical: 0.5", "cannot weigh less")]
    [InlineData("dangerous: true", "dangerous: maybe", "'dangerous' must be true or false, not 'maybe'")]
    [InlineData("from_hour: 8", "from_hour: 15", "the window is never open")]
    public void A_mistake_is_told_with_its_line_and_what_is_allowed(string line, string instead, string says)
    {
        var (read, errors) = With(line, instead);
        Assert.Null(read);
        var error = Assert.Single(errors, e => e.Message.Contains(says, StringComparison.Ordinal));
        Assert.InRange(error.Line, -1, 0);
    }

    [Theory]
    [InlineData("policy: &a x\nversion: *a", "anchors")]
    [InlineData("policy: !!str x", "tags")]
    [InlineData("- a", "one YAML document")]
    [InlineData("", "one YAML document")]
    [InlineData("policy: a\npolicy: b", "Duplicate key")]
    [InlineData("policy: [", "")]
    public void What_is_no_policy_at_all_is_refused(string text, string says)
    {
        Assert.Null(PolicyReader.Read(text, out var errors));
        Assert.Contains(errors, e => e.Message.Contains(says, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Deep_nesting_and_long_texts_are_refused_before_anything_is_built()
    {
        Assert.Null(PolicyReader.Read(new string('[', 100_000), out var errors));
        Assert.Contains("nesting", Assert.Single(errors).Message, StringComparison.Ordinal);
        Assert.Null(PolicyReader.Read(string.Concat(Enumerable.Repeat("- ", 100_000)), out errors));
        Assert.Contains("nesting", Assert.Single(errors).Message, StringComparison.Ordinal);
        Assert.Null(PolicyReader.Read(new string('a', PolicyActivation.MaxText + 1), out errors));
        Assert.Contains("at most", Assert.Single(errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_stands_in_a_policy_it_is_read_or_refused(int seed)
    {
        var draw = new SplitMix64((ulong)seed);
        var taken = 0;
        for (var n = 0; n < 400; n++)
        {
            var text = PolicyReader.DefaultText.ToCharArray();
            for (var k = 0; k <= draw.Next(4); k++)
                text[draw.Next(text.Length)] = Marks[draw.Next(Marks.Length)];
            var read = PolicyReader.Read(new string(text), out var errors);
            Assert.True(read is null == errors.Count > 0, $"seed {seed}, step {n}");
            if (read is not null) taken++;
        }
        Assert.InRange(taken, 1, 399);
    }
}
