namespace Twin.Silo.Soc;

/// <summary>A tactic of MITRE ATT&amp;CK for ICS.</summary>
internal readonly record struct AttackTactic(string Id, string Name);

/// <summary>A technique of MITRE ATT&amp;CK for ICS with the tactics that it serves.</summary>
internal sealed record AttackTechnique(string Id, string Name, AttackTactic[] Tactics)
{
    public string Url => "https://attack.mitre.org/techniques/" + Id + "/";
}

/// <summary>
/// The techniques that findings name, by MITRE ATT&amp;CK for ICS v18.1 (domain reference 5.2). One that is not here is
/// sent by its id alone.
/// </summary>
internal static class AttackTechniques
{
    public const string Framework = "MITRE ATT&CK for ICS", Version = "18.1";

    private static readonly AttackTactic InitialAccess = new("TA0108", "Initial Access"),
        Execution = new("TA0104", "Execution"), Persistence = new("TA0110", "Persistence"),
        Escalation = new("TA0111", "Privilege Escalation"), Evasion = new("TA0103", "Evasion"),
        Discovery = new("TA0102", "Discovery"), Lateral = new("TA0109", "Lateral Movement"),
        Collection = new("TA0100", "Collection"), Control = new("TA0101", "Command and Control"),
        Inhibit = new("TA0107", "Inhibit Response Function"), Impair = new("TA0106", "Impair Process Control"),
        Impact = new("TA0105", "Impact");

    private static readonly Dictionary<string, AttackTechnique> All = new AttackTechnique[]
    {
        new("T0800", "Activate Firmware Update Mode", [Inhibit]),
        new("T0803", "Block Command Message", [Inhibit]),
        new("T0804", "Block Reporting Message", [Inhibit]),
        new("T0806", "Brute Force I/O", [Impair]),
        new("T0809", "Data Destruction", [Inhibit]),
        new("T0812", "Default Credentials", [Lateral]),
        new("T0813", "Denial of Control", [Impact]),
        new("T0814", "Denial of Service", [Inhibit]),
        new("T0815", "Denial of View", [Impact]),
        new("T0816", "Device Restart/Shutdown", [Inhibit]),
        new("T0819", "Exploit Public-Facing Application", [InitialAccess]),
        new("T0820", "Exploitation for Evasion", [Evasion]),
        new("T0826", "Loss of Availability", [Impact]),
        new("T0827", "Loss of Control", [Impact]),
        new("T0828", "Loss of Productivity and Revenue", [Impact]),
        new("T0829", "Loss of View", [Impact]),
        new("T0830", "Adversary-in-the-Middle", [Collection]),
        new("T0831", "Manipulation of Control", [Impact]),
        new("T0832", "Manipulation of View", [Impact]),
        new("T0836", "Modify Parameter", [Impair]),
        new("T0837", "Loss of Protection", [Impact]),
        new("T0838", "Modify Alarm Settings", [Inhibit]),
        new("T0839", "Module Firmware", [Persistence, Impair]),
        new("T0842", "Network Sniffing", [Discovery]),
        new("T0848", "Rogue Master", [InitialAccess]),
        new("T0849", "Masquerading", [Evasion]),
        new("T0851", "Rootkit", [Evasion, Inhibit]),
        new("T0855", "Unauthorized Command Message", [Impair]),
        new("T0856", "Spoof Reporting Message", [Evasion, Impair]),
        new("T0857", "System Firmware", [Persistence, Inhibit]),
        new("T0858", "Change Operating Mode", [Execution, Evasion]),
        new("T0859", "Valid Accounts", [Persistence, Lateral]),
        new("T0860", "Wireless Compromise", [InitialAccess]),
        new("T0862", "Supply Chain Compromise", [InitialAccess]),
        new("T0866", "Exploitation of Remote Services", [InitialAccess, Lateral]),
        new("T0869", "Standard Application Layer Protocol", [Control]),
        new("T0872", "Indicator Removal on Host", [Evasion]),
        new("T0878", "Alarm Suppression", [Inhibit]),
        new("T0879", "Damage to Property", [Impact]),
        new("T0880", "Loss of Safety", [Impact]),
        new("T0882", "Theft of Operational Information", [Impact]),
        new("T0887", "Wireless Sniffing", [Discovery, Collection]),
        new("T0889", "Modify Program", [Persistence]),
        new("T0890", "Exploitation for Privilege Escalation", [Escalation]),
        new("T0891", "Hardcoded Credentials", [Lateral, Persistence]),
        new("T0892", "Change Credential", [Inhibit]),
        new("T0893", "Data from Local System", [Collection]),
        new("T0895", "Autorun Image", [Execution]),
    }.ToDictionary(t => t.Id);

    public static AttackTechnique Of(string id) => All.TryGetValue(id, out var known) ? known
        : new AttackTechnique(id, "", []);
}
