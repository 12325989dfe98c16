// What the playground uses of CodeMirror 6, as one global.
export {EditorState, StateEffect, StateField, Compartment} from '@codemirror/state';
export {EditorView, keymap, lineNumbers, highlightActiveLine, drawSelection, Decoration, WidgetType} from '@codemirror/view';
export {defaultKeymap, history, historyKeymap, indentWithTab} from '@codemirror/commands';
export {StreamLanguage, HighlightStyle, syntaxHighlighting, bracketMatching, indentUnit} from '@codemirror/language';
export {autocompletion, completionKeymap, closeBrackets, snippetCompletion} from '@codemirror/autocomplete';
export {linter, lintGutter, lintKeymap, setDiagnostics, forEachDiagnostic} from '@codemirror/lint';
export {search, searchKeymap} from '@codemirror/search';
export {tags} from '@lezer/highlight';
