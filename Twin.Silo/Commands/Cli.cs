using System.CommandLine;
using System.Runtime;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Twin.Grains;
using Twin.Ingest;
using Twin.Ingest.Dlms;

namespace Twin.Silo.Commands;

/// <summary>
/// The command line: data on stdout, messages on stderr; exit 0 well, 1 differences found, 2 wrong use or unusable
/// input.
/// </summary>
internal static class Cli
{
    public const int Ok = 0, Differences = 1, Unusable = 2;

    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static JsonSerializerOptions JsonLine { get; } = new(Json) { WriteIndented = false };

    public static string Version { get; } = typeof(Cli).Assembly.GetName().Version!.ToString(3);

    public static Option<bool> JsonFlag { get; } = new("--json") { Description = "print the result as JSON on stdout" };

    public static Task<int> Run(string[] args)
    {
        if (args is ["--version"])
        {
            Console.WriteLine(
                $"metertwin {Version} edition {Edition.Name} engine {string.Join(", ", Edition.Engines.Keys)}");
            return Task.FromResult(Ok);
        }
        // One pass over the heap instead of one beside the work, which would keep more in memory; a service does
        // without.
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        var root = new RootCommand("MeterTwin: a digital twin of a smart-meter fleet, with anomaly detection.")
        {
            DemoCommand.Make(), ServeCommand.Make(), ReplayCommand.Make(), InspectCommand.Make(), VerifyCommand.Make(),
            ImportCommand.Make(),
            GenerateCommand.Make(),
            RegistryCommand.Make(), BackupCommands.MakeBackup(), BackupCommands.MakeRestore(), EraseCommand.Make(),
            ConfigCommand.Make(), KeysCommand.Make(),
            AccessCommands.MakeKey(), AccessCommands.MakePerson(),
            BenchCommand.Make(), AttackCommand.Make(), EvaluateCommand.Make(), TrainCommand.Make(),
            ModelCommand.Make(), VerdictCommand.Make(),
            CaseCommand.Make(), ResponseCommand.Make(), CoverCommands.MakeSuppress(), CoverCommands.MakeWork(),
            CoverCommands.MakeFreeze(), CoverCommands.MakeThaw(),
            PolicyCommand.Make(), LedgerCommand.Make(), SinksCommand.Make(), MirrorCommand.Make(),
            ReportCommand.Make(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) Message($"error: {error.Message}");
            Message($"'metertwin {VerbOf(parsed.CommandResult)}--help' lists what there is.");
            return Task.FromResult(Unusable);
        }
        return parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    /// <summary>The verb with those above it and a blank behind: <c>attack run </c>.</summary>
    private static string VerbOf(System.CommandLine.Parsing.CommandResult result) =>
        result.Command is RootCommand ? ""
            : (result.Parent is System.CommandLine.Parsing.CommandResult above ? VerbOf(above) : "")
                + result.Command.Name + " ";

    /// <summary>Runs a verb; what a user can mend becomes one line on stderr and exit code 2.</summary>
    public static async Task<int> Guarded(Func<Task<int>> verb)
    {
        try
        {
            return await verb();
        }
        catch (Exception e) when (e is FormatError or SettingException or DataDirectoryException
            or KeyFileException or StorageUnavailableException or ArgumentException or FormatException
            or IOException or UnauthorizedAccessException)
        {
            // .NET adds the name of a parameter, which says nothing to a user.
            var parameter = e is ArgumentException { ParamName: { } name } ? $" (Parameter '{name}')" : "";
            Message("error: " + (parameter.Length > 0 ? e.Message.Replace(parameter, "") : e.Message));
            return Unusable;
        }
        catch (Exception e) when (e is InvalidDataException or SqliteException)
        {
            Message($"error: The data cannot be read: {e.Message} If their directory is right, restore the newest "
                + "backup ('metertwin restore').");
            return Unusable;
        }
        catch (OperationCanceledException)
        {
            Message("stopped; everything acknowledged is kept.");
            return 130;
        }
    }

    public static void Message(string text) => Console.Error.WriteLine(text);

    public static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result, Json));

    /// <summary>Settings from the flags that a command has, the environment and metertwin.json.</summary>
    public static Settings Settings(ParseResult parsed, params ReadOnlySpan<Option<string?>> options)
    {
        var flags = new Dictionary<string, string>();
        foreach (var option in options)
            if (parsed.GetValue(option) is { } value) flags[option.Name.TrimStart('-')] = value;
        return Silo.Settings.Load(flags, Environment.GetEnvironmentVariable, Silo.Settings.FileName);
    }

    /// <summary>The flag of a setting.</summary>
    public static Option<string?> Flag(string key)
    {
        var setting = Silo.Settings.Keys.First(k => k.Key == key);
        return new Option<string?>("--" + key) { Description = $"{setting.Meaning} (default {setting.Default})" };
    }

    /// <summary>Paths that a misspelt flag would otherwise slip into.</summary>
    public static Argument<string[]> Paths(string name, string description, ArgumentArity arity)
    {
        var argument = new Argument<string[]>(name) { Description = description, Arity = arity };
        argument.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (token.Value.StartsWith('-') && !File.Exists(token.Value))
                    result.AddError($"'{token.Value}' is no flag of this command.");
        });
        return argument;
    }
}

/// <summary>One line on stderr that is written over on a terminal and rarely written elsewhere.</summary>
internal sealed class ProgressLine
{
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
    private TimeSpan _next;
    private int _width;

    public TimeSpan Elapsed => _watch.Elapsed;

    public void Show(Func<string> text)
    {
        if (_watch.Elapsed < _next) return;
        _next = _watch.Elapsed + TimeSpan.FromSeconds(_terminal ? 0.2 : 5);
        var line = text();
        if (_terminal) Console.Error.Write("\r" + line.PadRight(_width));
        else Console.Error.WriteLine(line);
        _width = line.Length;
    }

    public void Done()
    {
        if (_terminal && _width > 0) Console.Error.Write("\r" + new string(' ', _width) + "\r");
    }
}
