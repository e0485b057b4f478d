using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Ingest.Text;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin policy</c>: what is done about what is found, and by which rules.</summary>
internal static class PolicyCommand
{
    public static Command Make() => new Command("policy", "Policies: check, test, compare with the past, put in force.")
    {
        Check(), Test(), Default(), Show(), Activate(), ExplainCommand.Make(), WhatIfCommand.Make(),
    };

    /// <summary>A policy of the greatest length in UTF-8.</summary>
    private const int MaxBytes = PolicyActivation.MaxText * 4;

    public static Argument<string> File() => new("file") { Description = "the policy (YAML)" };

    /// <summary>The policy in a file; its mistakes go to stderr, each with its line.</summary>
    public static PolicyDocument? Read(string file, out string text)
    {
        text = BoundedFile.ReadText(file, MaxBytes);
        var policy = PolicyReader.Check(text, out var errors);
        foreach (var error in errors) Cli.Message($"{file}:{error}");
        if (errors.Count > 0) Cli.Message($"error: {file} does not hold; {errors.Count} to mend.");
        return policy;
    }

    private static string Head(PolicyDocument p) => string.Create(CultureInfo.InvariantCulture,
        $"policy {p.Name} version {p.Version} ({p.Digest[..12]}): {p.Rules.Length} rules, "
            + $"{p.Examples.Length} examples");

    private static Command Check()
    {
        var file = File();
        var command = new Command("check", "Read a policy; name every mistake with its line and what is allowed.")
        {
            file, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var text = BoundedFile.ReadText(p.GetValue(file)!, MaxBytes);
            var policy = PolicyReader.Check(text, out var errors);
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(new
                {
                    Holds = policy is not null, policy?.Name, policy?.Version, policy?.Digest,
                    Errors = errors.Select(e => new { e.Line, e.Column, e.Message }),
                });
            else if (policy is not null) Console.WriteLine($"✓ {Head(policy)}");
            else
                foreach (var error in errors) Console.WriteLine($"✗ {p.GetValue(file)}:{error}");
            return Task.FromResult(policy is null ? Cli.Unusable : Cli.Ok);
        }));
        return command;
    }

    private static Command Test()
    {
        var file = File();
        var command = new Command("test", "Hold a policy against the examples in it. Exit 1 when one fails.")
        {
            file, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            if (Read(p.GetValue(file)!, out string _) is not { } policy) return Task.FromResult(Cli.Unusable);
            var results = policy.Examples.Select(e => (Example: e, Failures: PolicyTest.Failures(policy, e))).ToList();
            var failed = results.Count(r => r.Failures.Count > 0);
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(results.Select(r => new { r.Example.Name, r.Example.Line, r.Failures }));
            else
            {
                foreach (var (example, failures) in results)
                {
                    Console.WriteLine($"{(failures.Count == 0 ? "✓" : "✗")} {example.Name} (line {example.Line})");
                    foreach (var failure in failures) Console.WriteLine("    " + failure);
                }
                Console.WriteLine(results.Count == 0
                    ? $"{policy.Name} has no examples: write what it must do under 'examples'."
                    : string.Create(CultureInfo.InvariantCulture,
                        $"{results.Count - failed} of {results.Count} examples hold"));
            }
            return Task.FromResult(failed == 0 ? Cli.Ok : Cli.Differences);
        }));
        return command;
    }

    private static Command Default()
    {
        var command = new Command("default", "Print the policy that ships: a beginning for your own.");
        command.SetAction((_, _) => Cli.Guarded(() =>
        {
            Console.Write(PolicyReader.DefaultText);
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    private static Command Show()
    {
        var flags = new ActFlags();
        var text = new Option<bool>("--text") { Description = "print the document itself" };
        var command = new Command("show", "Show the policy in force, and what holds over all cases.")
        {
            text, flags.Data, Cli.JsonFlag,
        };
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var key = PolicyActivation.Twin;
            var view = await fleet.State(key, AsOf.Now, cancel) is { } state ? PolicyView.From(key, state)
                : new PolicyTwin(key.Id).View();
            if (p.GetValue(text)) Console.Write(view.Text.Length > 0 ? view.Text : PolicyReader.DefaultText);
            else if (p.GetValue(Cli.JsonFlag))
                Cli.Print(new
                {
                    view.Name, view.Version, view.Digest, Since = view.By.Length == 0 ? null : view.Since.ToString(),
                    view.By, view.Frozen, view.Before,
                    Covers = view.Covers.Select(c => new
                    {
                        Kind = c.IsWork ? "planned_work" : "suppression", c.Id, c.Place, From = c.From.ToString(),
                        To = c.To.ToString(), c.Owner,
                    }),
                });
            else
            {
                Print(view);
                if (await fleet.State(GuardKey.Fleet, AsOf.Now, cancel) is { } guard
                    && GuardView.From(GuardKey.Fleet, guard).HeldSeconds > 0)
                    Console.WriteLine("  every command is held after a restore, until two persons have said "
                        + "'metertwin response process fleet'");
            }
            return Cli.Ok;
        }));
        return command;
    }

    private static void Print(PolicyView view)
    {
        Console.WriteLine($"policy {view.Name} version {view.Version} ({view.Digest[..12]}), "
            + (view.By.Length == 0 ? "which ships" : $"in force since {view.Since} by {view.By}"));
        if (view.Frozen) Console.WriteLine("  frozen: nothing that blocks or moves load goes out");
        foreach (var c in view.Covers)
            Console.WriteLine($"  {(c.IsWork ? "planned work" : "suppression")} {c.Id}"
                + $"{(c.Place.Length > 0 ? " at " + c.Place : c.Subject is { } s ? $" of {s}" : "")}, {c.From} to "
                + $"{c.To}, {c.Owner}");
    }

    private static Command Activate()
    {
        var (flags, file) = (new ActFlags(), File());
        var command = new Command("activate",
            "Put a policy in force from the next sweep on. Try 'policy whatif' first.") { file };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            if (Read(p.GetValue(file)!, out var text) is not { } policy) return Cli.Unusable;
            // What does not do what it says itself must not decide about anybody.
            foreach (var example in policy.Examples)
            {
                if (PolicyTest.Failures(policy, example) is not [var failure, ..]) continue;
                throw new ArgumentException($"{p.GetValue(file)} fails its own example '{example.Name}' (line "
                    + $"{example.Line}): {failure} 'metertwin policy test' shows all.");
            }
            return await flags.Do(p, new PolicyActivation(flags.At(p), flags.By(p), text), cancel);
        }));
        return command;
    }
}
