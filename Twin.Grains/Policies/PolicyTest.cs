using Twin.Hardware;

namespace Twin.Grains.Policies;

/// <summary>Holds a policy against the examples in it.</summary>
public static class PolicyTest
{
    /// <summary>What comes out otherwise than the example expects, one sentence each; none when it holds.</summary>
    public static IReadOnlyList<string> Failures(PolicyDocument policy, PolicyExample example)
    {
        var decision = PolicyEngine.Decide(policy, example.Facts, default);
        var failures = new List<string>();
        if (decision.Rung != example.Rung)
            failures.Add($"expected {SnakeCase.Of(example.Rung)}, got "
                + $"{SnakeCase.Of(decision.Rung)}: {decision.Why}");
        if (example.Approvals is { } approvals && decision.Approvals != approvals)
            failures.Add($"expected {approvals} approvals, got {decision.Approvals}");
        if (example.Refused is { } refused && decision.Refused.Length > 0 != refused)
            failures.Add(refused ? "expected to be refused, was not"
                : $"expected to pass, was refused: {decision.Refused}");
        return failures;
    }
}
